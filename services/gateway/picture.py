"""An issue's life as a picture (SVG) for people: who said it → who put it right → who judged it. Pure.

It is drawn from a biography as its reader was given it and so shows nobody more. Nothing in it runs or
is fetched; a text is a text, cut to its place; however long a life, the picture stays a page or two.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

from services.gateway.lettering import clean, joined, words, wrapped
from services.gateway.life import STAGES, Life, Line, Panel, Step

_LEGEND = {
    'class="back"': "◇ 为退回、异议或重新整改",
    "〔已封存〕": "〔已封存〕为您无权查看的文字",
    "〔已抹除〕": "〔已抹除〕为已依规抹除的文字",
}
WIDTH = 720
_MARGIN, _GAP = 12, 24
_SIDE = 200  # the width of the left and the right column
_MIDDLE = WIDTH - 2 * (_MARGIN + _SIDE + _GAP)
_X = (_MARGIN, _MARGIN + _SIDE + _GAP, WIDTH - _MARGIN - _SIDE)
_RAIL = _X[1] + 9
_PAD = 10
_SIZES = {"h1": 22, "k": 15, "h": 18, "t": 16, "q": 16, "s": 15}
_LEADING = 1.4
_MOST = {"t": 3, "q": 3, "s": 2}
"""How many lines one text of a kind may take in a box."""
STYLE = (
    "text{font-family:'PingFang SC','Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei',"
    "'WenQuanYi Micro Hei',system-ui,sans-serif;fill:#1b2127;white-space:pre}"
    ".h1{font-size:22px;font-weight:600}.h{font-size:18px;font-weight:600}"
    ".t{font-size:16px;font-weight:600}.s,.k{font-size:15px;fill:#4a525a}"
    ".q{font-size:16px;font-family:'Kaiti SC',KaiTi,STKaiti,'Noto Serif CJK SC',"
    "'WenQuanYi Micro Hei',serif}.end{text-anchor:end}.back-t{fill:#6b2a6e}"
    ".paper{fill:#fff}.box{fill:#fff;stroke:#7d7a71;stroke-width:1.25}"
    ".head{fill:#e4edf3;stroke:#1a4e70;stroke-width:1.5}"
    ".todo{fill:none;stroke:#7d7a71;stroke-width:1.25;stroke-dasharray:4 3}"
    ".edge{fill:none;stroke:#7d7a71;stroke-width:1.5}.rail{stroke:#1a4e70;stroke-width:2}"
    ".arrow{fill:#7d7a71}.turn{fill:#1a4e70}.back{fill:#fff;stroke:#6b2a6e;stroke-width:2.5}"
    ".small,.gap{fill:#fff;stroke:#7d7a71;stroke-width:1.5}"
    ".now{fill:#fff;stroke:#1a4e70;stroke-width:2.5;stroke-dasharray:3 2}"
)
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
"""For a content security policy that lets this style sheet in and nothing else."""


@dataclass
class _Sheet:
    """What is drawn so far, and how far down it reaches."""

    parts: list[str] = field(default_factory=list)
    bottom: float = 0

    def write(self, x: float, y: float, kind: str, text: str) -> None:
        """A line of writing; `y` is its base line."""
        if text:
            self.parts.append(f'<text x="{x:g}" y="{y:g}" class="{kind}">{_escaped(text)}</text>')

    def draw(self, part: str, down_to: float) -> None:
        """A shape."""
        self.parts.append(part)
        self.bottom = max(self.bottom, down_to)

    def frame(self, x: float, y: float, wide: float, high: float, inside: "_Sheet") -> None:
        """Something in a frame of its own: what does not fit is not seen."""
        place = f'x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}"'
        self.draw(f'<svg {place} overflow="hidden">{"".join(inside.parts)}</svg>', y + high)


def _escaped(text: str) -> str:
    return escape(text, quote=False)


def picture(biography: Mapping[str, Any]) -> str:
    """The biography of an issue, all of its pages in one, as an SVG document.

    The same biography gives the same text. Days are the school's own (`zone`).
    """
    life = Life(biography)
    steps = life.steps()
    heads, left, right = life.heads(), life.left(), life.right()
    title = words(biography.get("title")) or "问题"
    stage = STAGES.get(biography.get("stage") or "", "")
    sheet = _Sheet()
    top = _title(sheet, title, stage, life)
    top = _heads(sheet, heads, top) + 18
    tops = _timeline(sheet, steps, top)
    _sources(sheet, left, top, tops[0])
    _outcomes(sheet, right, top, [*zip((s.position for s in steps), tops, strict=False)])
    _foot(sheet, life)
    high = sheet.bottom + _MARGIN
    told = [
        *(f"{question}：{'，'.join(answers)}" for question, answers in heads),
        *map(str, left),
        f"经过：{'；'.join(map(str, steps)) or '尚无记录'}",
        *map(str, right),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {high:g}" role="img"'
        ' lang="zh-CN" xml:lang="zh-CN" aria-labelledby="picture-title picture-desc">'
        f'<title id="picture-title">{_escaped(title)}：来龙去脉</title>'
        f'<desc id="picture-desc">{_escaped("。".join(told))}。</desc>'
        f"<style>{STYLE}</style>"
        f'<rect class="paper" width="{WIDTH}" height="{high:g}"/>{"".join(sheet.parts)}</svg>\n'
    )


def _title(sheet: _Sheet, title: str, stage: str, life: Life) -> float:
    """The heading; gives where the rest begins."""
    days = [life.day(event["at"]) for event in (*life.events[:1], *life.events[-1:])]
    span = " 至 ".join(dict.fromkeys(days))
    sheet.write(_MARGIN, 26, "k", joined("　", "问题的来龙去脉", stage, span))
    y = 26.0
    for line in wrapped(title, (WIDTH - 2 * _MARGIN) / _SIZES["h1"], 2):
        y += 31
        sheet.write(_MARGIN, y, "h1", line)
    return y + 16


def _heads(sheet: _Sheet, heads: Iterable[tuple[str, list[str]]], top: float) -> float:
    """The three questions side by side; gives where they end."""
    boxes = []
    for (question, answers), wide in zip(heads, (_SIDE, _MIDDLE, _SIDE), strict=True):
        entry = tuple(Line("s", answer) for answer in answers)
        boxes.append(_boxed(Panel(question, (entry,), "head"), wide))
    high = max(high for _, high in boxes)
    for (inside, _), x, wide in zip(boxes, _X, (_SIDE, _MIDDLE, _SIDE), strict=True):
        _box(sheet, "head", x, top, wide, high)
        sheet.frame(x, top, wide, high, inside)
    for x in _X[1:]:
        _arrow(sheet, f"M{x - _GAP:g} {top + high / 2:g}", x, top + high / 2)
    return top + high


def _boxed(panel: Panel, wide: float) -> tuple[_Sheet, float]:
    """The writing of a panel and how high it is."""
    inside = _Sheet()
    y = _PAD + 17.0
    inside.write(_PAD, y, "h", panel.heading)
    for n, entry in enumerate(panel.entries):
        y += 8 if n else 2
        for line in entry:
            size = _SIZES[line.kind]
            for part in wrapped(line.text, (wide - 2 * _PAD) / size, _MOST[line.kind]):
                y += size * _LEADING
                inside.write(_PAD, y, line.kind, part)
    return inside, y + _PAD + 2


def _box(sheet: _Sheet, kind: str, x: float, y: float, wide: float, high: float) -> None:
    place = f'x="{x:g}" y="{y:g}" width="{wide:g}" height="{high:g}" rx="4"'
    sheet.draw(f'<rect class="{kind}" {place}/>', y + high)


def _arrow(sheet: _Sheet, way: str, x: float, y: float, *, down: bool = False) -> None:
    """A line along a way to a point, and its head there, pointing right or down."""
    tip = f"{x:g} {y:g}"
    sheet.draw(f'<path class="edge" d="{way}L{tip}"/>', y)
    back = "l-5 -8h10z" if down else "l-8 -5v10z"
    sheet.draw(f'<path class="arrow" d="M{tip}{back}"/>', y)


def _timeline(sheet: _Sheet, steps: Sequence[Step], top: float) -> list[float]:
    """The steps one below the other; gives the height of each one's mark, at least one."""
    x, wide = _X[1] + 26, _MIDDLE - 26
    tops: list[float] = []
    rail, marks, frames = len(sheet.parts), [], []
    y = top
    for step in steps:
        inside = _Sheet()
        size = _SIZES["t" if step.kind not in {"small", "gap"} else "s"]
        style = "s" if step.kind in {"small", "gap"} else "t"
        room = wide - (0 if not step.day else 5.8 * _SIZES["s"] + 8)
        below = 17.0
        words = wrapped(step.word, room / size, 3)
        for n, word in enumerate(words):
            below += size * _LEADING if n else 0
            inside.write(0, below, f"{style} back-t" if step.kind == "back" else style, word)
        inside.write(wide, 17, "s end", step.day)
        told = joined(" · ", step.who, step.said)
        for line in wrapped(told, wide / _SIZES["s"], 3):
            below += _SIZES["s"] * _LEADING
            inside.write(0, below, "s", line)
        tops.append(y + 11)
        marks.append(_mark(step.kind, y + 11))
        frames.append((y, below + 6, inside))
        y += below + 15
    for part in marks:
        sheet.draw(part, y)
    for at, high, inside in frames:
        sheet.frame(x, at, wide, high, inside)
    line = f'<path class="edge rail" d="M{_RAIL} {tops[0]:g}V{tops[-1]:g}"/>'
    sheet.parts.insert(rail, line)
    return tops


def _mark(kind: str, y: float) -> str:
    """A step's mark on the rail: a disc, a rhombus where it went back, a small ring between steps."""
    if kind == "back":
        return f'<path class="back" d="M{_RAIL} {y - 9:g}l9 9l-9 9l-9 -9z"/>'
    radius = {"turn": 7, "now": 7}.get(kind, 4.5)
    return f'<circle class="{kind}" cx="{_RAIL}" cy="{y:g}" r="{radius:g}"/>'


def _sources(sheet: _Sheet, panels: Sequence[Panel], top: float, first: float) -> None:
    """The left column, and its ways to the first step; opinions go there by their collation."""
    y = top
    gutter = _X[1] - _GAP / 2
    headings = [panel.heading for panel in panels]
    for n, panel in enumerate(panels):
        inside, high = _boxed(panel, _SIDE)
        _box(sheet, panel.kind, _X[0], y, _SIDE, high)
        sheet.frame(_X[0], y, _SIDE, high, inside)
        if panel.heading == "群众意见" and "汇总梳理" in headings:
            centre = _X[0] + _SIDE / 2
            _arrow(sheet, f"M{centre:g} {y + high:g}", centre, y + high + 22, down=True)
        else:
            start = max(first, y + 20) if n == 0 else y + 20
            way = f"M{_X[0] + _SIDE:g} {start:g}H{gutter:g}V{first:g}"
            _arrow(sheet, way, _RAIL - 8, first)
        y += high + 22


def _outcomes(
    sheet: _Sheet, panels: Iterable[Panel], top: float, steps: Sequence[tuple[int, float]]
) -> None:
    """The right column, each panel as high as the step it followed on, or below the one before it.

    `steps` are positions of the log and where on the sheet they are.
    """
    y = top
    gutter = _X[2] - _GAP / 2
    for panel in sorted(panels, key=lambda panel: panel.position):
        passed = [at for position, at in steps if position <= panel.position]
        from_y = passed[-1] if passed else top + 11
        y = max(y, from_y - 11)
        inside, high = _boxed(panel, _SIDE)
        _box(sheet, panel.kind, _X[2], y, _SIDE, high)
        sheet.frame(_X[2], y, _SIDE, high, inside)
        start = f"M{_X[2] - _GAP + 5:g} {from_y:g}H{gutter:g}V{y + 20:g}"
        _arrow(sheet, start, _X[2], y + 20)
        y += high + 22


def _foot(sheet: _Sheet, life: Life) -> None:
    """From which records it was drawn, and what the marks mean."""
    places = [event["position"] for event in life.events]
    said = [f"据第 {places[0]} 至 {places[-1]} 号共 {len(places)} 条记录绘制"] if places else []
    said += ["其后还有未绘出的记录"] if life.told.get("next") else []
    drawn = "".join(sheet.parts)
    said += [meaning for mark, meaning in _LEGEND.items() if mark in drawn]
    if zone := life.told.get("zone"):
        said.append(f"日期按学校所在时区（{clean(str(zone))}）")
    y = sheet.bottom + 12
    for line in wrapped("；".join(said) + "。", (WIDTH - 2 * _MARGIN) / _SIZES["s"], 4):
        y += _SIZES["s"] * _LEADING
        sheet.write(_MARGIN, y, "s", line)
    sheet.bottom = y
