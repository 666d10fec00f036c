"""Make the README's pictures: the demo's terminal as SVG, its report as PNG where Chromium is found."""

import re
import shutil
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console

from console.account import Play
from console.deciding import Answer, Answering, asked_for, plan_of
from console.demo import Demo, play
from console.scenarios import DEFAULT
from console.text import WIDE, screen
from memory.records.incident_record import IncidentRecord

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
# The stock format loads a font from the network; a picture loads nothing.
FORMAT = re.sub(r"@font-face \{\{.*?\}\}\s*", "", CONSOLE_SVG_FORMAT, flags=re.S).replace(
    "Fira Code", 'ui-monospace, Menlo, Consolas, "DejaVu Sans Mono"'
)


def main() -> int:
    """Play the demo and write docs/pictures."""
    folder = Path("docs/pictures")
    folder.mkdir(parents=True, exist_ok=True)
    recording = Console(
        record=True,
        width=WIDE,
        file=StringIO(),
        force_terminal=True,
        highlight=False,
        markup=False,
        emoji=False,
    )
    recording.print("$ cloudops demo", style="bold")
    played = play(Demo(Play(DEFAULT)), recording, _approving(recording))
    svg = recording.export_svg(title="cloudops demo", code_format=FORMAT)
    (folder / "demo.svg").write_text(svg, encoding="utf-8")
    out = screen()
    out.print(str(folder / "demo.svg"), soft_wrap=True)
    if photograph(played.folder / "report.html", folder / "report.png"):
        out.print(str(folder / "report.png"), soft_wrap=True)
    else:
        out.print("no Chromium here: report.png was not made")
    return 0 if played.holds else 1


def _approving(recording: Console) -> Answering:
    def answer(record: IncidentRecord) -> Answer:
        recording.print(f"\napprove {asked_for(record)}? [y/n] (n): y", style="magenta")
        return Answer(approved=True, plan=plan_of(record), reason="approved at the prompt")

    return answer


def photograph(page: Path, picture: Path, width: int = 1000, height: int = 1500) -> bool:
    """Render a page without a network; say False where there is no browser."""
    browser = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if browser is None:
        return False
    subprocess.run(
        [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            "--host-resolver-rules=MAP * 127.0.0.1",
            "--force-device-scale-factor=1.5",
            f"--window-size={width},{height}",
            f"--screenshot={picture.resolve()}",
            page.resolve().as_uri(),
        ],
        check=True,
        capture_output=True,
        timeout=60,
    )
    return True


if __name__ == "__main__":
    sys.exit(main())
