"""Sums over a few points are integrals, of polynomials up to a degree that is told by their number."""

import numpy as np
import pytest

from training.shap.points import quadratures


@pytest.mark.parametrize("count", [0, 1, 2, 3, 5, 12, 40])
def test_zero_and_so_many_points_integrate_all_powers_up_to_twice_their_number(count):
    """The integral of t^n over [0, 1] is 1 / (n + 1)."""
    at_zero, (points, weights) = quadratures(40)
    for power in range(2 * count + 1):
        found = at_zero[count] * 0.0**power + (weights[count] * points[count] ** power)[:count].sum()
        assert found == pytest.approx(1 / (power + 1), abs=1e-13)


def test_of_zero_and_one_point_that_is_two_thirds_and_weighs_three_quarters():
    """So 1, t and t^2 give 1, 1/2 and 1/3: 1/4 + 3/4, 3/4 * 2/3 and 3/4 * 4/9."""
    at_zero, others = quadratures(1)
    assert at_zero == pytest.approx(np.array([1.0, 0.25]))
    assert others[:, 1, 0] == pytest.approx(np.array([2 / 3, 0.75]))
