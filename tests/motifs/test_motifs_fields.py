"""Fields against closed forms, and against distances measured from many points of the drawn edge."""

from itertools import pairwise

import numpy as np
import pytest

from batik_scratch.motifs import fields, isen
from batik_scratch.motifs.motif import banded

X, Y = np.meshgrid(np.linspace(-1.5, 1.9, 47), np.linspace(-1.1, 1.3, 35))
RNG = np.random.default_rng(4)


def nearest(points, x=X, y=Y):
    """Distance of every (x, y) to the nearest of `points` (P, 2)."""
    return np.min(np.hypot(x[..., None] - points[:, 0], y[..., None] - points[:, 1]), axis=-1)


def along(a, b, n=2000):
    t = np.linspace(0, 1, n)[:, None]
    return (1 - t) * np.array(a) + t * np.array(b)  # (n, 2)


def test_a_circle():
    d = fields.circle(X, Y, 0.4, -0.3, 0.25)
    assert np.allclose(d, np.sqrt((X - 0.4) ** 2 + (Y + 0.3) ** 2) - 0.25)


@pytest.mark.parametrize("rounding", [0.0, 0.1])
def test_a_box_is_negative_inside_and_its_corners_may_be_round(rounding):
    d = fields.box(X, Y, 0.3, -0.2, 0.7, 0.4, rounding)
    w, h = 0.7 - rounding, 0.4 - rounding
    corners = np.array([0.3, -0.2]) + np.array([(-w, -h), (w, -h), (w, h), (-w, h), (-w, -h)])
    inner = np.concatenate([along(p, q) for p, q in pairwise(corners)])
    inside = (np.abs(X - 0.3) < w) & (np.abs(Y + 0.2) < h)
    assert np.allclose(d, np.where(inside, -1, 1) * nearest(inner) - rounding, atol=2e-3)
    assert fields.box(0.3, -0.2, 0.3, -0.2, 0.7, 0.4) == pytest.approx(-0.4)


def test_boxes_have_sharp_corners_by_default():
    assert fields.box(1.0, 1.0, 0, 0, 0.7, 0.6) == pytest.approx(0.5)


def test_an_ellipse_is_zero_on_its_edge_and_to_first_order_a_distance_beside_it():
    t = np.linspace(0, 2 * np.pi, 400)
    c, s = np.cos(0.6), np.sin(0.6)

    def at(scale):
        x, y = scale[0] * np.cos(t), scale[1] * np.sin(t)
        return 0.3 + c * x - s * y, -0.2 + s * x + c * y  # turned by 0.6

    x, y = at((0.9, 0.35))
    assert np.abs(fields.ellipse(x, y, 0.3, -0.2, 0.9, 0.35, 0.6)).max() < 1e-12
    normal = np.stack([np.cos(t) / 0.9, np.sin(t) / 0.35])
    normal /= np.hypot(*normal)
    for step in (-0.004, 0.004):
        beside_x, beside_y = x + step * (c * normal[0] - s * normal[1]), y + step * (s * normal[0] + c * normal[1])
        got = fields.ellipse(beside_x, beside_y, 0.3, -0.2, 0.9, 0.35, 0.6)
        assert np.allclose(got, step, rtol=0.05)


def test_an_ellipse_of_equal_radii_is_a_circle_and_unturned_by_default():
    assert np.allclose(fields.ellipse(X, Y, 0.4, -0.3, 0.25, 0.25, 0.7), fields.circle(X, Y, 0.4, -0.3, 0.25))
    assert np.array_equal(fields.ellipse(X, Y, 0, 0, 0.5, 0.2), fields.ellipse(X, Y, 0, 0, 0.5, 0.2, 0.0))
    # the formula where the gradient's bound does not matter: k (k - 1) / |(x / rx^2, y / ry^2)|
    k, slope = np.hypot(0.8 / 0.5, 0.3 / 0.2), np.hypot(0.8 / 0.25, 0.3 / 0.04)
    assert fields.ellipse(0.8, 0.3, 0, 0, 0.5, 0.2) == pytest.approx(k * (k - 1) / slope)
    assert np.isfinite(fields.ellipse(np.zeros(1), np.zeros(1), 0, 0, 0.5, 0.2))


@pytest.mark.parametrize(("ra", "rb"), [(0.0, 0.0), (0.2, 0.2), (0.3, 0.1), (0.05, 0.4)])
def test_a_capsule_is_the_distance_to_a_line_less_the_radius_at_its_foot(ra, rb):
    a, b = np.array([-0.6, 0.2]), np.array([0.9, -0.5])
    t = np.clip(((X - a[0]) * (b - a)[0] + (Y - a[1]) * (b - a)[1]) / ((b - a) @ (b - a)), 0, 1)
    got = fields.capsule(X, Y, a, b, ra, rb)
    assert np.allclose(got, nearest(along(a, b)) - (ra + t * (rb - ra)), atol=2e-3)


def test_a_capsule_of_no_length_is_a_circle():
    assert np.allclose(fields.capsule(X, Y, (0.4, -0.3), (0.4, -0.3), 0.25, 0.6), fields.circle(X, Y, 0.4, -0.3, 0.25))


def test_a_stroke_is_the_nearest_of_its_pieces_each_with_its_ends_radii():
    points, radii = np.array([(-0.9, 0.1), (0.0, 0.8), (0.3, -0.6), (1.1, -0.2)]), np.array([0.05, 0.2, 0.1, 0.0])
    pieces = [fields.capsule(X, Y, points[i], points[i + 1], radii[i], radii[i + 1]) for i in range(3)]
    assert np.array_equal(fields.stroke(X, Y, points, radii), np.min(pieces, axis=0))
    assert np.allclose(
        fields.stroke(X, Y, points, np.zeros(4)), nearest(np.concatenate([*map(along, points, points[1:])])), atol=2e-3
    )


@pytest.mark.parametrize(("turns", "start", "hand"), [(2.2, 0.7, 1), (1.7, 2.5, -1), (1.0, -1.2, 1)])
def test_a_spiral_is_near_the_distance_to_its_line(turns, start, hand):
    pitch = 0.4
    turn = np.linspace(0, turns, 6000)
    angle = start + hand * 2 * np.pi * turn
    line = np.stack([0.2 + pitch * turn * np.cos(angle), 0.1 + pitch * turn * np.sin(angle)], axis=1)
    got = fields.spiral(line[:, 0], line[:, 1], 0.2, 0.1, pitch, turns, start, hand)
    assert got[20:-20].max() < 1e-6  # zero on the line from its beginning to its end
    x, y = X[np.hypot(X - 0.2, Y - 0.1) > 0.12], Y[np.hypot(X - 0.2, Y - 0.1) > 0.12]
    got, true = fields.spiral(x, y, 0.2, 0.1, pitch, turns, start, hand), nearest(line, x, y)
    # measured along the radius, so never less than the distance; beyond the end, to the last whole turn
    assert (got >= true - 1e-3).all() and np.median(got - true) < 0.02


def test_a_spiral_by_hand():
    """Pitch 1, 2.5 turns from angle 0: on the positive x axis it meets 0, 1 and 2, on the negative 0.5, 1.5 and 2.5."""

    def right(r):
        return float(fields.spiral(np.array(r), np.array(0.0), 0, 0, 1.0, 2.5, 0.0, 1))

    def left(r):
        return float(fields.spiral(np.array(-r), np.array(0.0), 0, 0, 1.0, 2.5, 0.0, 1))

    assert [right(r) for r in (0.0, 0.3, 0.9, 1.4, 2.2, 3.1)] == pytest.approx([0, 0.3, 0.1, 0.4, 0.2, 1.1])
    assert [left(r) for r in (0.1, 0.7, 1.4, 2.4, 3.0)] == pytest.approx([0.4, 0.2, 0.1, 0.1, 0.5])
    # upwards it passes 0.25, 1.25 and 2.25 where it turns left, and 0.75, 1.75 where it turns right
    up = [float(fields.spiral(np.array(0.0), np.array(2.2), 0, 0, 1.0, 2.5, 0.0, hand)) for hand in (1, -1)]
    assert up == pytest.approx([0.05, 0.45])
    whole = float(fields.spiral(np.array(3.2), np.array(0.0), 0, 0, 1.0, 3.0, 0.0, 1))
    assert whole == pytest.approx(1.2)  # three whole turns end where the third begins to repeat the axis


def test_a_union_is_the_nearest_of_all():
    shapes = [RNG.random((3, 4)) for _ in range(3)]
    assert np.array_equal(fields.union(shapes), np.minimum(np.minimum(shapes[0], shapes[1]), shapes[2]))
    assert np.array_equal(fields.union(iter(shapes[:1])), shapes[0])


def test_a_smooth_union_fillets_only_near_the_seam_by_a_quarter_of_its_width():
    a, b = np.array([0.0, 0.3, 0.5, 0.2, 1.0]), np.array([0.0, 0.9, 0.1, 0.3, 0.95])
    for one, two in ((a, b), (b, a)):
        assert np.allclose(fields.smooth_union(one, two, 0.2)[:3], [-0.05, 0.3, 0.1])
    # (k - |a - b|)^2 / 4 k below the smaller
    assert np.allclose(fields.smooth_union(a, b, 0.2)[3:], [0.2 - 0.1**2 / 0.8, 0.95 - 0.15**2 / 0.8])


def test_a_bezier_curve_by_de_casteljau():
    a, b, c, d = points = RNG.random((4, 2))
    got = fields.bezier(a, b, c, d, 7)
    for t, point in zip(np.linspace(0, 1, 7), got, strict=True):
        row = list(points)
        while len(row) > 1:
            row = [(1 - t) * p + t * q for p, q in pairwise(row)]
        assert np.allclose(point, row[0])
    assert len(fields.bezier((0, 0), (1, 0), (2, 0), (3, 0))) == 8


def test_tiles_repeat_row_by_row_shifted():
    px, py, offset = 0.7, 0.4, 0.3
    u, v, column, row = fields.tile(X, Y, px, py, offset)
    assert np.abs(u).max() <= px / 2 + 1e-12 and np.abs(v).max() <= py / 2 + 1e-12
    assert np.allclose(u + px * column + offset * px * row, X) and np.allclose(v + py * row, Y)
    assert (row == np.rint(Y / py)).all() and column.min() < 0 < column.max()
    again = fields.tile(X + px * (2 + offset), Y + py, px, py, offset)
    assert np.allclose(again[0], u) and np.allclose(again[1], v)
    assert (again[2] == column + 2).all() and (again[3] == row + 1).all()


def test_coverage_is_the_share_of_a_pixel_cut_by_a_straight_edge():
    distance = np.array([-3.0, -0.5, -0.25, 0.0, 0.1, 0.5, 9.0])
    assert np.allclose(fields.coverage(distance, 1.0), [1, 1, 0.75, 0.5, 0.4, 0, 0])
    assert np.allclose(fields.coverage(distance / 50, 0.02), [1, 1, 0.75, 0.5, 0.4, 0, 0])


def test_bands_follow_the_depth_and_lines_run_between_them():
    distance = np.array([0.3, 0.0, -0.05, -0.1, -0.14, -0.21, -0.29, -0.31, -0.9])
    tone, line = banded(distance, 0.1, 4, True)
    assert np.allclose(tone, np.array([0, 0, 0, 1, 1, 2, 2, 3, 3]) * 4 / 3)
    assert np.allclose(line, [0.1, 0.1, 0.05, 0, 0.04, 0.01, 0.01, 0.01, 0.6])
    darker, same = banded(distance, 0.1, 4, False)
    assert np.allclose(darker, 4 - tone) and np.array_equal(same, line)
    flat, far = banded(distance, 0.1, 1, True)
    assert (flat == 0).all() and (far > 1).all()
    two, line = banded(distance, 0.1, 2, True)
    assert np.allclose(two, np.array([0, 0, 0, 1, 1, 1, 1, 1, 1]) * 4.0)
    assert np.allclose(line, np.abs(np.array([1, 1, 0.5, 0, 0.4, 1.1, 1.9, 2.1, 8])) * 0.1)


PITCH, PIXEL = 0.2, 0.004


def shown(name, x, y, pitch=PITCH):
    marks = isen.FILLINGS[name](np.array(x, float), np.array(y, float), pitch, PIXEL * pitch / PITCH)
    return np.round(marks, 9)


@pytest.mark.parametrize("name", isen.FILLINGS)
def test_a_filling_grows_with_its_pitch_and_repeats(name):
    x, y = RNG.uniform(-1, 1, (2, 4000))
    marks = shown(name, x, y)
    assert marks.min() == 0 and marks.max() == 1 and 0.05 < marks.mean() < 0.55
    assert np.allclose(shown(name, 3 * x, 3 * y, 3 * PITCH), marks, atol=1e-6)
    periods = {"cecek": (1, 1), "sisik": (1, 0.6), "sawut": (0.5, 1.4), "ukel": (1.6, 1.6), "kembang": (2.4, 2.4)}
    across, down = (PITCH * period for period in periods[name])
    twice = 2 if name == "ukel" else 1  # every second curl is turned round
    inside = np.abs(marks - 0.5) > 0.49  # edges may round either way
    for dx, dy in ((twice * across, 0), (0.5 * twice * across, twice * down), (0, 2 * twice * down)):
        assert np.allclose(shown(name, x + dx, y + dy)[inside], marks[inside], atol=0.02), (dx, dy)
    assert np.mean(np.abs(shown(name, x + across / 2, y) - marks) > 0.5) > 0.05  # the rows are shifted by half


@pytest.mark.parametrize(
    ("name", "share"),
    [
        ("cecek", np.pi * 0.22**2),  # a dot in a square
        ("sawut", 2 * 0.06 * 2 * 0.5 / (0.5 * 1.4)),  # a stroke in its cell
    ],
)
def test_dots_and_strokes_cover_what_their_size_says(name, share):
    x, y = np.meshgrid(np.arange(700) * PITCH / 100, np.arange(1400) * PITCH / 100)
    assert shown(name, x, y).mean() == pytest.approx(share, rel=0.02)


def test_single_marks_of_each_filling_by_hand():
    p = PITCH
    dots = shown("cecek", [0, 0.2 * p, 0.24 * p, 0.5 * p, 0], [0, 0, 0, p, p])
    assert dots.tolist() == [1, 1, 0, 1, 0]
    strokes = shown("sawut", [0, 0.05 * p, 0.07 * p, 0, 0, 0.25 * p], [0, 0, 0, 0.45 * p, 0.55 * p, 1.4 * p])
    assert strokes.tolist() == [1, 1, 0, 1, 0, 1]
    # an arc of radius 0.55 about a point above the middle of the scale, a tenth of a pitch wide
    scale = shown("sisik", [0, 0, 0, 0.45 * p, 0], [0.25 * p, 0.29 * p, 0.1 * p, 0, -0.2 * p])
    assert scale.tolist() == [1, 1, 0, 1, 0]
    # four petals at 0.4 up, down, left and right, and a hole in the middle; nothing on the diagonals
    petals = [(0.4, 0), (-0.4, 0), (0, 0.4), (0, -0.4), (0.6, 0), (0.4, 0.13)]
    assert shown("kembang", *np.array(petals).T * p).tolist() == [1] * 6
    empty = [(0, 0), (0.08, 0), (0.4, 0.4), (0.4, 0.17), (0.68, 0), (0, 0.68)]
    assert shown("kembang", *np.array(empty).T * p).tolist() == [0] * 6
    # a curl: on the line r = 0.32 turn from angle 0.4 on, 1.7 turns long
    turn = np.array([0.3, 0.8, 1.3, 1.65])
    x, y = 0.32 * p * turn * np.cos(0.4 + 2 * np.pi * turn), 0.32 * p * turn * np.sin(0.4 + 2 * np.pi * turn)
    assert shown("ukel", x, y).tolist() == shown("ukel", 3.2 * p + x, y).tolist() == [1] * 4
    # its neighbours beside and below are its mirror images
    assert shown("ukel", 1.6 * p - x, y).tolist() == shown("ukel", 0.8 * p - x, 1.6 * p + y).tolist() == [1] * 4
    assert 0 in shown("ukel", 1.6 * p + x, y) and 0 in shown("ukel", 0.8 * p + x, 1.6 * p + y)
