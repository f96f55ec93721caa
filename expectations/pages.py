"""Data Docs that can be read anywhere: no page asks another host for anything, and the first one tells the whole story.

Great Expectations' own pages take style and scripts from content networks, and its index is empty without them.
"""

import re
from collections.abc import Sequence
from html import escape
from pathlib import Path
from string import Template

from expectations.report import CheckReport, Part

RUNS = "runs"

STYLE = """<style>
:root { color-scheme: light dark; --line: #8884; --bad: #c62828; --good: #2e7d32; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.6rem; } h4 { font-size: 1.5rem; margin: 0; } h5 { font-size: 1.15rem; margin: 1.5rem 0 .3rem; }
.h6, h6 { font-size: 1rem; font-weight: 600; margin: .8rem 0 0; } a { color: inherit; }
table { border-collapse: collapse; margin: .4rem 0 1.2rem; } th { text-align: left; }
th, td { padding: .25rem 1.2rem .25rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
.number { text-align: right; font-variant-numeric: tabular-nums; } small { opacity: .75; }
.bad, .text-danger { color: var(--bad); } .good, .text-success { color: var(--good); }
.breadcrumb { display: flex; gap: 1.5rem; list-style: none; padding: 0; } #navigation ul { columns: 4; }
i.fas { font-family: inherit !important; font-style: normal; font-weight: bold; }
i.fa-check-circle::before { content: "\\2713" !important; }
i.fa-times::before, i.fa-exclamation-triangle::before { content: "\\2717" !important; }
.card:not(:has(#navigation)), .card-header, .lead, footer, .cooltip .top, a[data-toggle], .collapse { display: none; }
</style>"""

_PAGE = Template("""<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
$style</head>
<body><h1>$title</h1>
$body
</body></html>
""")
_REMOTE = re.compile(
    r"<script\b.*?</script>|<link\b[^>]*https?://[^>]*>|<img\b[^>]*https?://[^>]*>|url\(.?https?://[^)]*\)"
    r"|<footer\b.*?</footer>|<title>.*?</title>",
    re.DOTALL,
)


def publish(report: CheckReport, site: Path) -> None:
    """Make the run's Great Expectations pages under site readable, add a page on the run, and renew the first page."""
    for part in report.parts:
        _rewrite(site / part.outcome.page, part)
        _rewrite(site / "expectations" / f"{part.declared.kind}_{part.declared.name}.html", part)
    folder = site / RUNS
    folder.mkdir(exist_ok=True)
    (folder / f"{report.run}.html").write_text(_page(report, "../", []), encoding="utf-8")
    names = sorted((path.stem for path in folder.glob("*.html")), reverse=True)
    (site / "index.html").write_text(_page(report, "", names), encoding="utf-8")


def _rewrite(page: Path, part: Part) -> None:
    """Take out what comes from other hosts, and say whose page it is. A page rewritten before is left as it is."""
    text = page.read_text(encoding="utf-8")
    if STYLE in text:
        return
    title = escape(part.declared.title)
    text = _REMOTE.sub("", text).replace("</head>", f"<title>{title}</title>\n{STYLE}</head>", 1)
    text = re.sub("<h4>.*?</h4>", f"<h4>{title}</h4><p>{escape(part.declared.description)}.</p>", text, count=1)
    page.write_text(text.replace("Data asset: None", f"Rows: {part.declared.file}"), encoding="utf-8")


def _page(report: CheckReport, up: str, runs: Sequence[str]) -> str:
    """The page on a run; up: the way to the site; runs: the names of all runs, to be linked to."""
    as_of = f", as of {report.as_of}" if report.as_of else ""
    body = [
        f"<p>Run {report.run}{as_of}: {report.extracted:,} rows extracted from the sources, "
        f"{report.extracted - report.rejected:,} accepted, {report.rejected:,} rejected. {_verdict(report)}</p>",
        *(f'<p class="bad">{escape(fault)}</p>' for fault in report.faults),
        _table(report, "stream", up),
        _table(report, "view", up),
    ]
    if runs:
        links = "".join(f'<li><a href="{RUNS}/{name}.html">{name}</a></li>' for name in runs)
        body.append(f"<h2>Runs</h2><ul>{links}</ul>")
    return _PAGE.substitute(title="Data checks", style=STYLE, body="\n".join(body))


def _verdict(report: CheckReport) -> str:
    if report.faults:
        return '<strong class="bad">Failed: nothing was staged.</strong>'
    return '<strong class="good">Passed.</strong>'


def _table(report: CheckReport, kind: str, up: str) -> str:
    rows = "".join(_row(part, up) for part in report.parts if part.declared.kind == kind)
    heads = "".join(f'<th class="number">{head}</th>' for head in ("extracted", "accepted", "rejected", "expectations"))
    return f"<h2>{kind.capitalize()}s</h2><table><tr><th>name</th>{heads}<th>rejected because</th></tr>{rows}</table>"


def _row(part: Part, up: str) -> str:
    numbers = (f"{part.extracted:,}", f"{part.accepted:,}", f"{part.rejected:,}", _expectations(part))
    cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
    reasons = "<br>".join(f"{escape(rule)}: {count:,}" for rule, count in part.reasons.items())
    link = f'<a href="{up}{part.outcome.page}">{escape(part.declared.name)}</a>'
    about = f"<br><small>{escape(part.declared.description)}</small>"
    return f"<tr><td>{link}{about}</td>{cells}<td>{reasons}</td></tr>"


def _expectations(part: Part) -> str:
    failed, evaluated = len(part.outcome.failed), part.outcome.evaluated
    if failed:
        return f'<span class="bad">{failed} of {evaluated} failed</span>'
    return f'<span class="good">{evaluated} hold</span>'
