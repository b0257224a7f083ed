"""Grids give every point exactly once."""


import pytest
from conftest import categorical, definition, double, when, whole
from optuna_service.grid import Grid
from optuna_service.problems import Refused
from optuna_service.space import parse_space


def points(parameters, seed=7):
    grid = Grid(parse_space(parameters))
    return grid, [tuple(grid.point(n, seed).items()) for n in range(grid.size)]


def test_every_point_comes_once_and_then_no_more():
    grid, all_points = points(
        [double("x", "0", "0.3", step="0.1"), whole("n", 1, 3), categorical("k", "a", "b")]
    )
    assert grid.size == 4 * 3 * 2
    assert len(set(all_points)) == 24
    assert (("x", "0.3"), ("n", "2"), ("k", "b")) in all_points
    assert grid.point(24, 7) is None


def test_a_parameter_that_takes_no_part_makes_no_copies():
    grid, all_points = points(
        [
            categorical("optimizer", "sgd", "adam"),
            whole("nesterov", 0, 1, **when("optimizer", "sgd")),
            categorical("depth", "1", "2"),
        ]
    )
    assert grid.size == 6
    assert set(all_points) == {
        (("optimizer", "sgd"), ("nesterov", nesterov), ("depth", depth))
        for nesterov in ("0", "1")
        for depth in ("1", "2")
    } | {(("optimizer", "adam"), ("depth", depth)) for depth in ("1", "2")}


def test_the_seed_moves_the_order():
    one = points([whole("n", 1, 100)], seed=1)[1]
    other = points([whole("n", 1, 100)], seed=2)[1]
    assert one != other
    assert sorted(one) == sorted(other)


def test_early_points_lie_apart():
    grid, all_points = points([whole("n", 0, 999)])
    first = sorted(int(point[0][1]) for point in all_points[:10])
    # Three-distance theorem: with a golden step no gap of ten points exceeds 1000 * 0.618^4 * 1.1.
    assert max(after - before for before, after in zip(first, first[1:])) <= 161


def test_a_grid_of_more_points_than_can_be_listed_answers_at_once():
    grid = Grid(parse_space([whole(f"n{i}", 1, 1000) for i in range(100)]))
    assert grid.size == 10**300
    seen = {tuple(grid.point(n, 7).values()) for n in range(1000)}
    assert len(seen) == 1000


def test_what_has_no_step_is_refused():
    with pytest.raises(Refused, match="a grid needs step"):
        Grid(parse_space([double("x", 0, 1)]))


def test_a_service_is_exhausted_after_the_last_point(studies):
    study = definition("grid", parameters=[whole("n", 1, 3), categorical("k", "a", "b")])
    asked = [studies.ask(study, number) for number in range(6)]
    assert sorted(dict(each)["n"] + dict(each)["k"] for each in asked) == [
        "1a", "1b", "2a", "2b", "3a", "3b",
    ]  # fmt: skip
    assert studies.ask(study, 6) is None
    assert studies.ask(study, 6) is None
    assert studies.ask(study, 5) == asked[5]
