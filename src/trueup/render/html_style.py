"""The one style sheet of the html format: light and dark, from 320 pixels up, and both layouts of a difference.

It loads nothing. Every colour stands beside a sign or a word; text and ground differ by 4.5 to 1 or more.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256

LIGHT = {
    "ground": "#ffffff", "panel": "#f6f8fa", "line": "#c7ced6", "text": "#1f2328", "faint": "#57606a",
    "create": "#116329", "modify": "#7d4e00", "delete": "#a40e26", "held": "#6639ba", "adopt": "#0550ae",
    "gone": "#82071e", "gone-ground": "#ffebe9", "gone-word": "#ffc9c4",
    "fresh": "#044f1e", "fresh-ground": "#e6ffec", "fresh-word": "#a6f2b8",
}  # fmt: skip
DARK = {
    "ground": "#0d1117", "panel": "#161b22", "line": "#3d444d", "text": "#e6edf3", "faint": "#9da7b3",
    "create": "#56d364", "modify": "#e3b341", "delete": "#ff9492", "held": "#d2a8ff", "adopt": "#79c0ff",
    "gone": "#ffdcd7", "gone-ground": "#35171a", "gone-word": "#7d1f26",
    "fresh": "#c3f7cd", "fresh-ground": "#11301c", "fresh-word": "#1b6433",
}  # fmt: skip
"""Colours by what they are for; both tables have the same names."""

_RULES = """
*{box-sizing:border-box}
body{margin:0 auto;max-width:90rem;padding:1rem;background:var(--ground);color:var(--text);
font:1rem/1.5 system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;overflow-wrap:anywhere}
h1{font-size:1.35rem;margin:.2rem 0 .6rem}h2{font-size:1.05rem;margin:1rem 0 .3rem}
h3{font-size:1rem;margin:.9rem 0 .3rem;font-weight:600}h3 .faint{font-weight:400}
code,.diff,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;font-size:.86rem}
p{margin:.35rem 0}ul{margin:.3rem 0;padding-left:1.2rem}li{margin:.25rem 0}
.names{columns:24rem;padding-left:0;list-style:none}.names li{margin:0;break-inside:avoid}
.summary{font-weight:600;font-size:1.05rem}.faint{color:var(--faint)}
.alert{border-left:.3rem solid var(--held);background:var(--panel);padding:.5rem .7rem;margin:.6rem 0}
details,.layout{border:1px solid var(--line);border-radius:.4rem;margin:.7rem 0;background:var(--ground)}
summary{padding:.5rem .7rem;background:var(--panel);cursor:pointer;border-radius:.4rem}
.bare{margin:.35rem 0}summary h2,.bare h2{display:inline;font-size:1rem;margin:0}
summary:focus-visible,input:focus-visible{outline:.15rem solid var(--adopt)}
.inside{padding:.1rem .7rem .7rem}
.layout{padding:.2rem .7rem .4rem}.layout label{margin-right:1.2rem;white-space:nowrap}
.create{color:var(--create)}.modify{color:var(--modify)}.delete{color:var(--delete)}.held{color:var(--held)}
.adopt{color:var(--adopt)}
code.command{white-space:pre;overflow-wrap:normal;user-select:all;display:inline-block;max-width:100%;
overflow-x:auto;vertical-align:bottom}
table{border-collapse:collapse;width:100%;table-layout:fixed}
th,td{border:1px solid var(--line);padding:.25rem .45rem;text-align:left;vertical-align:top}
th{background:var(--panel);font-weight:600}
pre{white-space:pre-wrap;overflow-wrap:anywhere;background:var(--panel);padding:.5rem;
border-radius:.3rem;margin:.3rem 0}
.diff{border:1px solid var(--line);border-radius:.3rem;overflow:hidden;margin:.3rem 0}
.c{display:grid;grid-template-columns:3.4em 1.4em minmax(0,1fr);min-height:1.5em}
.n{color:var(--faint);text-align:right;padding-right:.6em;user-select:none}
.t{white-space:pre-wrap;overflow-wrap:anywhere;padding-right:.4em}
.words{color:var(--faint);background:var(--panel);padding:.15rem .5rem}
.removed .old,.changed .old{background:var(--gone-ground);color:var(--gone)}
.added .new{background:var(--fresh-ground);color:var(--fresh)}
del{background:var(--gone-word);color:var(--gone)}
ins{background:var(--fresh-word);color:var(--fresh);text-decoration:underline}
.removed>.c>.t>del,.added>.c>.t>ins{background:none;text-decoration:none}
.kept .old,.changed .old,.added .old,.removed .new{display:none}
body:has(#side:checked) .r{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr)}
body:has(#side:checked) .c{display:grid}
body:has(#side:checked) .changed .new{background:var(--fresh-ground);color:var(--fresh)}
body:has(#side:checked) .new del{display:none}
body:has(#side:checked) .words{grid-column:1/3}
.unseen{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
footer{margin-top:1.5rem;border-top:1px solid var(--line);padding-top:.5rem;color:var(--faint);font-size:.9rem}
@media (max-width:40rem){body{padding:.6rem}.c{grid-template-columns:2.4em 1.2em minmax(0,1fr)}
.inside{padding:.1rem .4rem .4rem}
table,tbody,tr,th,td{display:block}thead{display:none}table{border:1px solid var(--line)}th,td{border:0}
td::before{content:attr(data-of)": ";color:var(--faint);font-size:.86rem}}
@media print{details{break-inside:avoid}.layout{display:none}}
"""


def _colours(table: dict[str, str]) -> str:
    return ":root{" + ";".join(f"--{name}:{value}" for name, value in table.items()) + "}"


STYLE = (
    ":root{color-scheme:light dark}" + _colours(LIGHT)
    + "@media (prefers-color-scheme:dark){" + _colours(DARK) + "}" + _RULES.replace("\n", "")
)  # fmt: skip

POLICY = (
    "default-src 'none'; style-src 'sha256-"
    + b64encode(sha256(STYLE.encode("utf-8")).digest()).decode("ascii")
    + "'; base-uri 'none'; form-action 'none'"
)
"""What a browser lets the page do: use this very style sheet, and nothing else."""
