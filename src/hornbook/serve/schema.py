"""The body of a completion request, as OpenAI's API defines it (platform.openai.com/docs/api-reference/completions).

Fields of the API that ask for something this server does not do are accepted at the value that asks for nothing.
`top_k` is an extension.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

MOST_STOPS, LONGEST_STOP = 4, 1000
TokenIds = Annotated[list[Annotated[int, Field(ge=0)]], Field(min_length=1)]
ManyTokenIds = Annotated[list[TokenIds], Field(min_length=1)]
Texts = Annotated[list[str], Field(min_length=1)]
Stop = Annotated[str, Field(min_length=1, max_length=LONGEST_STOP)]
Seed = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]


class StreamOptions(BaseModel):
    """What a stream says beside its text."""

    model_config = ConfigDict(extra="forbid", strict=True)
    include_usage: bool = False
    include_obfuscation: bool = False


class CompletionRequest(BaseModel):
    """A prompt to complete."""

    model_config = ConfigDict(extra="forbid", strict=True)
    model: str
    prompt: str | Texts | TokenIds | ManyTokenIds | None = None
    """None or "": a new document."""
    best_of: Annotated[int, Field(ge=1, le=128)] | None = None
    echo: bool | None = False
    frequency_penalty: Annotated[float, Field(ge=-2, le=2)] | None = 0
    logit_bias: dict[str, float] | None = None
    logprobs: Annotated[int, Field(ge=0, le=5)] | None = None
    max_tokens: Annotated[int, Field(ge=0)] | None = 16
    n: Annotated[int, Field(ge=1, le=128)] | None = 1
    presence_penalty: Annotated[float, Field(ge=-2, le=2)] | None = 0
    seed: Seed | None = None
    stop: Stop | Annotated[list[Stop], Field(max_length=MOST_STOPS)] | None = None
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    suffix: str | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = 1
    top_k: Annotated[int, Field(ge=1)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = 1
    user: str | None = None

    @model_validator(mode="after")
    def _check(self) -> CompletionRequest:
        n = 1 if self.n is None else self.n
        if self.best_of is not None and self.best_of != n:
            raise ValueError(f"best_of = {self.best_of} must equal n = {n}: completions are not ranked here")
        if self.frequency_penalty or self.presence_penalty or self.logit_bias:
            raise ValueError("frequency_penalty, presence_penalty and logit_bias are not supported; leave them out")
        if self.suffix:
            raise ValueError("suffix is not supported: the model reads from left to right only; leave it out")
        if self.stream_options is not None and not self.stream:
            raise ValueError("stream_options go with stream = true only")
        return self

    @property
    def stops(self) -> tuple[str, ...]:
        """The strings that end a completion."""
        return (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())


class Logprobs(BaseModel):
    """Tokens with their log-probabilities; one entry each."""

    tokens: list[str]
    token_logprobs: list[float | None]
    top_logprobs: list[dict[str, float] | None] | None
    text_offset: list[int]


class CompletionChoice(BaseModel):
    """One completion, or a part of one in a stream."""

    index: int
    text: str
    logprobs: Logprobs | None
    finish_reason: Literal["stop", "length"] | None


class Usage(BaseModel):
    """Tokens of a request."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class CompletionObject(BaseModel):
    """The answer to a request, and the object in each event of a stream."""

    id: str
    object: Literal["text_completion"]
    created: int
    model: str
    choices: list[CompletionChoice]
    usage: Usage | None = None


class ModelEntry(BaseModel):
    """A model that can be asked."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "hornbook"


class ModelList(BaseModel):
    """All models that can be asked."""

    object: Literal["list"] = "list"
    data: list[ModelEntry]


class ErrorDetails(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str | None


class ErrorAnswer(BaseModel):
    """An error, as OpenAI's clients read it."""

    error: ErrorDetails


class Health(BaseModel):
    """That the server answers, and how busy it is."""

    status: Literal["ok"] = "ok"
    slots: int
    slots_in_use: int
    waiting: int


def complaint(errors: list[Any]) -> tuple[str, str | None]:
    """Return pydantic's findings as a sentence and the field that the first is about."""
    first = errors[0]
    place = [str(part) for part in first["loc"] if part != "body"]
    field = place[0] if place else None
    message = str(first["msg"]).removeprefix("Value error, ")
    if first["type"] == "extra_forbidden":
        return f"unrecognized request argument: {'.'.join(place)}", field
    if first["type"] == "missing":
        return f"{field or 'a body'} is missing", field
    if first["type"] == "json_invalid":
        return f"the body is not JSON: {first.get('ctx', {}).get('error', message)}", None
    if field == "prompt":
        message = "a string, a list of strings, of token ids, or of lists of token ids is wanted"
    came = repr(first.get("input"))
    came = came if len(came) <= 60 else f"{came[:60]}…"
    return (f"{field}: {message[0].lower()}{message[1:]}, and {came} came" if field else message), field
