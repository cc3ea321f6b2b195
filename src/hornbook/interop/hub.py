"""Models to and from the Hugging Face hub, by huggingface_hub; `HF_ENDPOINT` names another hub.

Left out: logging in (`hf auth login` does), pickled weights, and datasets (hornbook.data.download).
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path

from hornbook.errors import HornbookError

NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
NO_NAME = "that is no name of a repository, which looks like me/my-model"
PATTERNS = ["config.json", "*.safetensors", "*.safetensors.index.json", "tokenizer.json", "tokenizer_config.json"]


def check_push(name: str) -> None:
    """Make sure, before anything is written, that there is a hub, somebody is logged in there, and `name` can be one.

    Raises as `push_folder`; whether this user may write there is seen only then.
    """
    with _plain_words(f"nothing was written, as nothing can be uploaded to {name!r}"):
        from huggingface_hub import HfApi
        from huggingface_hub.utils import validate_repo_id

        validate_repo_id(name)
        HfApi(token=True).whoami()


def push_folder(folder: Path, name: str) -> str:
    """Upload a folder and return its address; the repository is made where it is not there.

    Args:
        folder: with the model.
        name: of the repository, such as "me/my-model".

    Raises:
        HornbookError: huggingface_hub is not installed, nobody is logged in, the hub refused it or cannot be reached.
    """
    with _plain_words(f"{folder} is written (the same command goes on from it); uploading it to {name} failed"):
        from huggingface_hub import HfApi

        url = HfApi(token=True).create_repo(name, exist_ok=True)
        HfApi(token=True).upload_folder(repo_id=url.repo_id, folder_path=folder, commit_message="hornbook export")
        return str(url)


def download_model(name: str) -> Path:
    """Fetch what `import_run` reads of a repository, and return the folder in the hub's own cache.

    Raises:
        HornbookError: as `push_folder`; there is no such repository.
    """
    if not NAME.fullmatch(name):  # a path: told before the library is imported
        raise HornbookError(f"{name} is no folder here, and {NO_NAME}")
    with _plain_words(f"{name} is no folder here, and fetching it from the hub failed"):
        from huggingface_hub import snapshot_download

        return Path(snapshot_download(name, allow_patterns=PATTERNS))


@contextlib.contextmanager
def _plain_words(what_failed: str) -> Iterator[None]:
    """Turn whatever the library raises into one sentence."""
    try:
        from huggingface_hub.errors import HFValidationError, LocalTokenNotFoundError, RepositoryNotFoundError
    except ImportError:
        raise HornbookError(f"{what_failed}: it needs huggingface_hub: pip install 'hornbook[interop]'") from None
    try:
        yield
    except HFValidationError:
        problem = NO_NAME
    except LocalTokenNotFoundError:
        problem = "nobody is logged in; run `hf auth login`, or set HF_TOKEN"
    except RepositoryNotFoundError:
        problem = "the hub has no such repository, or you have no access to it"
    except Exception as error:  # the library hands on what its transport raises, which has changed
        code = getattr(getattr(error, "response", None), "status_code", None)
        if code in (401, 403):
            problem = f"the hub does not let this token do it ({code}); log in with another (`hf auth login`, HF_TOKEN)"
        else:
            problem = f"the hub answered {code}" if code else "the hub cannot be reached"
            problem += "; check the network, and HF_ENDPOINT where it is set"
    else:
        return
    raise HornbookError(f"{what_failed}: {problem}")
