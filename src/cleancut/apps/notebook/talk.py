"""What a page may say, and what is done then. Whatever it says is checked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cleancut.apps.notebook.desk import Desk
from cleancut.apps.notebook.nouns import Item, sentence
from cleancut.apps.notebook.parcels import Parcels
from cleancut.apps.notebook.shows import Shows, Wish
from cleancut.apps.notebook.uploads import Upload, Uploads, plain
from cleancut.errors import BadInput, CleancutError
from cleancut.matting import recipe as recipes
from cleancut.pictures import images

Content = Mapping[str, Any]


class Talk:
    """Hears a page and answers it; in the threads in which the kernel handles messages."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._shows, self._parcels = Shows(desk), Parcels(desk)
        self._uploads = Uploads(desk.limits)
        self._backgrounds: set[str] = set()  # uploads that are to be backgrounds
        self._words: Mapping[str, Callable[[Content, Sequence[memoryview]], None]] = {
            "hello": self._hello,
            "bye": lambda said, _: self._shows.forget(_view(said)),
            "begin": self._begin,
            "chunk": self._chunk,
            "want": self._want,
            "recipe": self._recipe,
            "strokes": self._strokes,
            "fetch": lambda said, _: self._parcels.fetch(_view(said), _turn(said), self._item(said)),
            "pull": lambda said, _: self._parcels.pull(_view(said), _turn(said), said.get("made"), said.get("offset")),
            "again": lambda said, _: self._desk.look(self._item(said), soon=True),
            "remove": lambda said, _: self._desk.remove(self._item(said)),
        }

    def hear(self, said: object, buffers: Sequence[memoryview]) -> None:
        """Do what a page asks for; what cannot be done is answered with a sentence."""
        content: Content = said if isinstance(said, Mapping) else {}
        with self._desk.lock:
            self._desk.errands.here()
            self._desk.page.tell("heard", view=_view(content), turn=_turn(content))
            try:
                word = self._words.get(str(content.get("kind")))
                if word is None:
                    raise BadInput("The page and the kernel are of different versions; restart both.")
                word(content, buffers)
            except CleancutError as error:
                asked = {name: content.get(name) for name in ("kind", "view", "turn", "id")}
                self._desk.page.tell("problem", asked=asked, sentence=sentence(error))
            self._desk.errands.run()

    def _item(self, said: Content) -> Item:
        return self._desk.find(said.get("id"))

    def _hello(self, said: Content, buffers: Sequence[memoryview]) -> None:
        """Greet a view: it wants every thumbnail that there is, and to know that someone is here."""
        self._desk.page.tell("welcome", view=_view(said))
        for item in self._desk.items.values():
            if item.thumb:
                self._desk.page.tell("thumb", item.thumb, id=item.id)

    def _begin(self, said: Content, buffers: Sequence[memoryview]) -> None:
        about = {"view": _view(said), "turn": _turn(said)}
        background = said.get("use") == "background"
        try:
            if not background:
                size = said.get("size")
                self._desk.check_room((size if isinstance(size, int) else 0) + self._uploads.held)
        except CleancutError as error:
            self._desk.page.tell("refused", sentence=sentence(error), full=True, **about)
            return
        try:
            upload = self._uploads.begin(said.get("name"), said.get("size"))
        except CleancutError as error:
            if not background:
                self._desk.refuse(plain(said.get("name")), error)
            self._desk.page.tell("refused", sentence=sentence(error), full=False, **about)
            return
        if background:
            self._backgrounds.add(upload.id)
        self._desk.page.tell("go", upload=upload.id, **about)

    def _chunk(self, said: Content, buffers: Sequence[memoryview]) -> None:
        if len(buffers) != 1:
            raise BadInput("A piece of a file comes with its bytes.")
        upload = self._uploads.take(said.get("upload"), said.get("offset"), buffers[0])
        about: dict[str, Any] = {"view": _view(said), "turn": _turn(said), "offset": len(upload.data)}
        if upload.whole and upload.id in self._backgrounds:
            self._backgrounds.remove(upload.id)
            about["asset"] = self._background(upload)
        elif upload.whole:
            about["id"] = self._desk.add(bytes(upload.data), upload.name).id
        self._desk.page.tell("got", **about)

    def _background(self, upload: Upload) -> str:
        """Keep a background under a name that tells what it shows."""
        picture = images.read(bytes(upload.data), name=upload.name, limits=self._desk.limits)
        name = recipes.content_name(picture)
        self._desk.keep_asset(name, picture)
        return name

    def _want(self, said: Content, buffers: Sequence[memoryview]) -> None:
        item = self._item(said)
        self._shows.want(Wish(_view(said), _turn(said), item, said.get("bare") is True, said.get("whole") is True))

    def _recipe(self, said: Content, buffers: Sequence[memoryview]) -> None:
        self._desk.set_recipe(recipes.from_json(said.get("recipe")), f"{_view(said)} {_turn(said)}")

    def _strokes(self, said: Content, buffers: Sequence[memoryview]) -> None:
        self._desk.mark(self._item(said), said.get("strokes"))


def _view(said: Content) -> str:
    return str(said.get("view"))[:64]


def _turn(said: Content) -> int:
    turn = said.get("turn")
    return turn if isinstance(turn, int) else 0
