"""Write the parts of the pages that the code already knows: variables, commands, engines, hooks.

`make docs` runs it. A derived part stands between `<!-- derived: NAME -->` and `<!-- end -->`; a test fails when one is
not what the code says.
"""

import inspect
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, get_type_hints

import click
import msgspec

from metamapper.cli.commands import COMMANDS, metamapper
from metamapper.connectors.base import Ability, Engine
from metamapper.connectors.registry import registry
from metamapper.connectors.settings import NOT_ASKED
from metamapper.plugins.specs import Specs
from metamapper.project.environment import VARIABLES, Variable

DOCS = Path(__file__).resolve().parent
PART = re.compile(r"(<!-- derived: (?P<name>[a-z]+)(?: (?P<argument>\S+))? -->\n).*?(<!-- end -->)", re.DOTALL)
WIDTH = 96


def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows])


def variables(_argument: str) -> str:
    """Every environment variable."""
    return table(("variable", "what it is for", "without it"), (_variable(each) for each in VARIABLES))


def _variable(variable: Variable) -> tuple[str, str, str]:
    names = f"`{variable.name}`" + (f", `{variable.name}_FILE`" if variable.secret else "")
    choices = f" One of: {', '.join(f'`{choice}`' for choice in variable.choices)}." if variable.choices else ""
    return names, variable.help + choices, _default(variable)


def _default(variable: Variable) -> str:
    """A path within somebody's home is the platform's own: said in words, for it differs."""
    if not variable.default:
        return ""
    return "the platform's data folder" if str(Path.home()) in variable.default else f"`{variable.default}`"


def commands(_argument: str) -> str:
    """Every command with its help, as the terminal shows it."""
    root = click.Context(metamapper, info_name="metamapper", **metamapper.context_settings)
    return "\n\n".join(_command(root, name) for name in sorted(COMMANDS))


def _command(parent: click.Context, name: str) -> str:
    """One command and, where it is a group, those within it."""
    assert isinstance(parent.command, click.Group)
    command = parent.command.get_command(parent, name)
    assert command
    context = click.Context(command, parent, name, terminal_width=WIDTH, max_content_width=WIDTH)
    depth = "#" * (len(context.command_path.split()))
    text = f"{depth} `{context.command_path}`\n\n```text\n{command.get_help(context)}\n```"
    inner = sorted(command.commands) if isinstance(command, click.Group) else []
    return "\n\n".join((text, *(_command(context, each) for each in inner)))


def engines(_argument: str) -> str:
    """Every engine that is installed with us."""
    rows = ((f"[{each.title}]({name}.md)", each.blurb, _schemes(each)) for name, each in registry().engines.items())
    return table(("datastore", "what it is", "URL"), rows)


def _schemes(engine: Engine) -> str:
    return ", ".join(f"`{scheme}://`" for scheme in engine.url_schemes)


def settings(name: str) -> str:
    """The settings of one engine, as its form shows them."""
    engine = registry().engines[name]
    info = msgspec.inspect.type_info(engine.settings)
    assert isinstance(info, msgspec.inspect.StructType)
    hints = get_type_hints(engine.settings, include_extras=True)
    return table(("setting", "", "default"), (_setting(each, hints[each.name], hints) for each in info.fields))


def _setting(field: msgspec.inspect.Field, hint: Any, hints: dict[str, Any]) -> tuple[str, str, str]:
    meta = next((each for each in getattr(hint, "__metadata__", ()) if isinstance(each, msgspec.Meta)), msgspec.Meta())
    conditions = "".join(f" {each}" for each in _conditions(meta.extra or {}, hints))
    secret = " A secret." if (meta.extra or {}).get("secret") and "encrypted" not in (meta.description or "") else ""
    default = "" if field.required or field.default in {"", None, msgspec.NODEFAULT} else f"`{field.default}`"
    return meta.title or field.name, ((meta.description or "") + secret + conditions).strip(), default


def _conditions(extra: dict[str, Any], hints: dict[str, Any]) -> Iterator[str]:
    """With which choices a setting is asked for, and with which it is needed."""
    when, needed = extra.get("when") or {}, extra.get("needed") or {}
    for name, values in when.items():
        yield f"Only with {_choices(hints[name], values)}{', where it is needed' if needed == when else ''}."
    for name, values in needed.items():
        if when != needed:
            yield f"Needed with {_choices(hints[name], values)}."


def _choices(hint: Any, values: tuple[str, ...]) -> str:
    """``“Key pair”``, as the form says it."""
    meta = next(each for each in hint.__metadata__ if isinstance(each, msgspec.Meta))
    labels = (meta.extra or {}).get("choices", {})
    named = [f"“{labels[value]}”" for value in values if value != NOT_ASKED]
    return " or ".join([*named, *([f"where “{meta.title}” is not asked for"] if NOT_ASKED in values else [])])


def abilities(name: str) -> str:
    """What an engine can tell, and why not where it cannot."""
    engine = registry().engines[name]
    return table(("what", "read", "why not"), (_ability(engine, each) for each in Ability))


def _ability(engine: Engine, ability: Ability) -> tuple[str, str, str]:
    capability = engine.capabilities[ability]
    return str(ability), str(capability.support), capability.reason


def hooks(_argument: str) -> str:
    """Every hook with its arguments and what it promises."""
    return "\n\n".join(_hook(name, hook) for name, hook in vars(Specs).items() if not name.startswith("_"))


def _hook(name: str, hook: Callable[..., None]) -> str:
    arguments = ", ".join(each for each in inspect.signature(hook).parameters if each != "self")
    promise = (inspect.getdoc(hook) or "").replace("``", "`")
    return f"### `{name}({arguments})`\n\n{promise}"


PARTS: dict[str, Callable[[str], str]] = {
    "variables": variables,
    "commands": commands,
    "engines": engines,
    "settings": settings,
    "abilities": abilities,
    "hooks": hooks,
}


def derived(text: str) -> str:
    """The page with each derived part as the code has it now."""

    def part(match: re.Match[str]) -> str:
        return f"{match[1]}{PARTS[match['name']](match['argument'] or '')}\n{match[4]}"

    return PART.sub(part, text)


def pages() -> list[Path]:
    return sorted(DOCS.rglob("*.md"))


def main() -> None:
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = derived(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            sys.stdout.write(f"{page.relative_to(DOCS)}\n")


if __name__ == "__main__":
    main()
