"""Shell completion, as click makes it."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> int:
    """Print the completion script of SHELL.

    \b
    bash:  cleancut completion bash > ~/.local/share/bash-completion/completions/cleancut
    zsh:   cleancut completion zsh > "${fpath[1]}/_cleancut"
    fish:  cleancut completion fish > ~/.config/fish/completions/cleancut.fish
    """  # noqa: D301 - click reads the character \b
    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(ctx.find_root().command, {}, "cleancut", "_CLEANCUT_COMPLETE").source())
    return 0
