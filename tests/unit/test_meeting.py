"""Processes that torchrun starts again meet at a store where an earlier start has left its addresses."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from torch._C._distributed_c10d import TCPStore

from hornbook.training.distributed.world import _meet


def test_each_start_gets_a_name_of_its_own_whoever_comes_first():
    master = TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
    names = []
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        with ThreadPoolExecutor(3) as pool:
            futures = []
            for rank in order:
                store = TCPStore("127.0.0.1", master.port, is_master=False, timeout=timedelta(seconds=20))
                futures.append(pool.submit(_meet, store, rank, 3))
                time.sleep(0.3)  # at first it finds nothing but the last start's name
            names += {future.result() for future in futures}
    assert len(names) == len(set(names)) == 3
