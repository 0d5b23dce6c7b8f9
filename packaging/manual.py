"""The manual regserver(1) and the completion for bash, both derived from the command line itself."""

import argparse
import importlib
from collections.abc import Iterator

from regserver import __version__, cli

HEAD = r""".TH REGSERVER 1 "" "regserver {version}" "User Commands"
.SH NAME
regserver \- registration server
.SH SYNOPSIS
.B regserver
.I COMMAND
.RI [ OPTION ...]
.SH DESCRIPTION
Live sign-up, rooms, registration steps and a directory behind one port. Every command has
.BR \-\-help ,
reads the same configuration, and may be run while the server runs, but for
.BR restore .
.SH COMMANDS
"""
TAIL = r""".SH EXIT STATUS
.TP
.B 0
success
.TP
.B 1
failure; of
.B server show
also a server that is degraded or not ready
.TP
.B 2
wrong usage or configuration
.TP
.B 141
the reader of standard output has gone
.SH FILES
.TP
.I /etc/regserver/regserver.toml
the configuration;
.I /usr/share/doc/regserver/regserver.toml
explains every setting
.TP
.I /var/lib/regserver
database, server's own key, backups
.SH ENVIRONMENT
.B REGSERVER_SECTION__KEY
overrides a setting of the configuration file.
.SH SEE ALSO
.I /usr/share/doc/regserver/docs/deploy.md
"""


def parsers() -> Iterator[tuple[str, argparse.ArgumentParser]]:
    """The parser of each command."""
    for name, summary in cli.COMMANDS.items():
        parser = argparse.ArgumentParser(prog=f"regserver {name}", description=summary)
        cli.add_common(parser)
        module = importlib.import_module(f"regserver.cli.{name}")
        if hasattr(module, "add"):
            module.add(parser)
        yield name, parser


def manual() -> str:
    """The page in man(7)."""
    lines = [HEAD.replace("{version}", __version__)]
    for _, parser in parsers():
        formatter = argparse.HelpFormatter(parser.prog, width=100_000)
        formatter.add_usage(parser.usage, parser._actions, parser._mutually_exclusive_groups, prefix="")
        lines += [".TP", f".B {_escape(formatter.format_help().strip())}", _escape(parser.description or "")]
        lines += list(_options(parser))
    return "\n".join(lines) + "\n" + TAIL


def _options(parser: argparse.ArgumentParser) -> Iterator[str]:
    for action in parser._actions:
        if not action.help or "--config" in action.option_strings or "--set" in action.option_strings:
            continue
        names = ", ".join(action.option_strings) or str(action.metavar or action.dest)
        if action.dest != "help":
            yield f".RS\n.TP\n.B {_escape(names)}\n{_escape(action.help % vars(action))}\n.RE"


def _escape(text: str) -> str:
    """What man(7) would read as its own."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text.startswith((".", "'")) else text


def completion() -> str:
    """A script for bash: commands, their actions and options; files elsewhere."""
    cases = []
    for name, parser in parsers():
        words = [
            word for action in parser._actions for word in action.option_strings if word.startswith("--")
        ]
        words += [str(choice) for action in parser._actions for choice in action.choices or ()]
        cases.append(f'        {name}) words="{" ".join(words)}" ;;')
    commands = " ".join(cli.COMMANDS)
    return "\n".join(
        [
            "# bash completion for regserver",
            "_regserver() {",
            '    local current="${COMP_WORDS[COMP_CWORD]}" words=""',
            '    if [ "$COMP_CWORD" -eq 1 ]; then',
            f'        COMPREPLY=($(compgen -W "{commands} --help" -- "$current"))',
            "        return",
            "    fi",
            '    case "${COMP_WORDS[1]}" in',
            *cases,
            "    esac",
            '    COMPREPLY=($(compgen -W "$words" -- "$current"))',
            "}",
            "complete -o default -F _regserver regserver",
            "",
        ]
    )
