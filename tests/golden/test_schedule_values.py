"""Schedules at the handout's own numbers (α_max 1, α_min 0.1, T_w 7, T_c 21), computed by hand from its formula."""

import pytest

import hornbook as hb

COSINE = [
    0.0,
    0.14285714285714285,
    0.2857142857142857,
    0.42857142857142855,
    0.5714285714285714,
    0.7142857142857143,
    0.8571428571428571,
    1.0,
    0.9887175604818206,
    0.9554359905560885,
    0.9018241671106134,
    0.8305704108364301,
    0.7452476826029011,
    0.6501344202803414,
    0.55,
    0.44986557971965857,
    0.3547523173970989,
    0.26942958916356996,
    0.1981758328893866,
    0.14456400944391146,
    0.11128243951817937,
    0.1,
    0.1,
    0.1,
]


def test_cosine():
    seen = [hb.lr_cosine_schedule(it, 1.0, 0.1, 7, 21) for it in range(len(COSINE))]
    assert seen == pytest.approx(COSINE, rel=1e-13)


def test_linear():
    seen = [hb.lr_linear_schedule(it, 1.0, 0.2, 2, 6) for it in range(9)]
    assert seen == pytest.approx([0.0, 0.5, 1.0, 0.8, 0.6, 0.4, 0.2, 0.2, 0.2], rel=1e-14)


def test_wsd():
    seen = [hb.lr_wsd_schedule(it, 1.0, 0.2, 2, 10, 4) for it in range(12)]
    assert seen == pytest.approx([0.0, 0.5, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2, 0.2], rel=1e-14)
