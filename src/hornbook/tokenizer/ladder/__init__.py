"""Five trainers of the same byte-level BPE, each one idea faster than the one before: a ladder to read and to time.

    naive        count every pair anew after each merge
    incremental  keep the pair counts; touch only the words that hold the merged pair
    heap         find the best pair in a heap instead of scanning all of them
    parallel     count the pre-tokens in several processes
    native       the same steps in C++, on threads: what `hb.train_bpe` does

The first three are `trainers.py`, the fourth `parallel.py`, and `timing.py` runs all five and checks that they give the
same merges. docs/ladder.md walks through them.
"""
