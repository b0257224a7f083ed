"""Settings of algorithms and of early stopping: text by name, turned into what Optuna takes."""

from .problems import Refused


def whole(least=0):
    def read(text):
        value = int(text)
        if value < least:
            raise ValueError(f"must be at least {least}")
        return value

    read.meaning = f"a whole number, at least {least}"
    return read


def number(low, high):
    def read(text):
        value = float(text)
        if not low <= value <= high:
            raise ValueError("out of range")
        return value

    read.meaning = f"a number from {low} to {high}"
    return read


def truth(text):
    try:
        return {"true": True, "false": False}[text.lower()]
    except KeyError:
        raise ValueError("neither true nor false") from None


truth.meaning = "true or false"


def word(*words):
    def read(text):
        if text not in words:
            raise ValueError("not one of the words")
        return text

    read.meaning = " or ".join(words)
    return read


def whole_or_auto(text):
    return "auto" if text == "auto" else whole(1)(text)


whole_or_auto.meaning = "auto, or a whole number, at least 1"


def read_settings(method, allowed, aliases=None):
    """Values by Optuna's name; `allowed` maps names to readers, `aliases` other names to those.

    Raises Refused with what is allowed for a setting that is unknown, unreadable or there twice.
    """
    aliases = aliases or {}
    values = {}
    for given, text in method.settings.items():
        name = aliases.get(given, given)
        if name not in allowed:
            known = ", ".join(sorted({*allowed, *aliases})) or "none"
            raise Refused.setting(f"{method.name} has no setting {given!r}; it has: {known}")
        if name in values:
            raise Refused.setting(f"{method.name}: {given} and its other name are both set")
        try:
            values[name] = allowed[name](text)
        except ValueError:
            raise Refused.setting(
                f"{method.name}: {given} is {text!r}, but must be {allowed[name].meaning}"
            ) from None
    return values
