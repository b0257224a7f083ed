"""Grids: every point exactly once, found by its number without listing the others."""

import math

import numpy as np

from .problems import Refused

GOLDEN = (math.sqrt(5) - 1) / 2


class Grid:
    """The points of a space, conditions respected: a parameter that takes no part has no copies."""

    def __init__(self, space):
        self.space = space
        self.points = {parameter.name: points_of(parameter) for parameter in space.parameters}
        self.children = {}
        for name, condition in space.conditions.items():
            self.children.setdefault(condition.parameter, []).append((name, condition.values))
        self.roots = [p.name for p in space.parameters if p.name not in space.conditions]
        self.sizes = {}
        # Children stand after their parents, so from behind every size is known when it is needed.
        for parameter in reversed(space.parameters):
            self.sizes[parameter.name] = self.count(parameter.name)
        self.size = math.prod(self.sizes[name] for name in self.roots)

    def count(self, name):
        """How many combinations `name` and what hangs on it have."""
        if name not in self.children:
            return len(self.points[name])
        return sum(self.below(name, value) for value in self.points[name])

    def below(self, name, value):
        """How many combinations hang on `name` being `value`."""
        return math.prod(self.sizes[child] for child in self.present(name, value))

    def present(self, name, value):
        return [child for child, among in self.children.get(name, []) if value in among]

    def point(self, number, seed):
        """Values by name of point `number` (0, 1, …, size-1), or None when all have been.

        The order steps through the grid by the golden section of its size, so that early points
        lie far apart; the seed moves its start.
        """
        if number >= self.size:
            return None
        offset = int(np.random.SeedSequence(seed).generate_state(2, np.uint64)[0]) % self.size
        values = {}
        self.assign(self.roots, (number * stride(self.size) + offset) % self.size, values)
        return {p.name: values[p.name] for p in self.space.parameters if p.name in values}

    def assign(self, names, index, values):
        for name in names:
            index, here = divmod(index, self.sizes[name])
            self.assign_one(name, here, values)

    def assign_one(self, name, index, values):
        points = self.points[name]
        if name not in self.children:
            values[name] = points[index]
            return
        for value in points:
            size = self.below(name, value)
            if index < size:
                values[name] = value
                self.assign(self.present(name, value), index, values)
                return
            index -= size


def stride(size):
    """A step near the golden section of `size` that meets every point before the first again."""
    step = max(1, int(size * GOLDEN)) if size < 2**53 else size // 2 + 1
    while math.gcd(step, size) != 1:
        step += 1
    return step


def points_of(parameter):
    points = parameter.points()
    if points is None:
        raise Refused.space(
            f"parameter {parameter.name}: a grid needs step, or a list of values; "
            "between min and max lie infinitely many"
        )
    return points
