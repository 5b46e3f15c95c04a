"""Where displays draw; matplotlib is imported when something is drawn."""


def pyplot():
    """matplotlib.pyplot.

    Raises
    ------
    ImportError
        If matplotlib is not installed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            "Drawing needs matplotlib; install it with 'pip install skgoodmin[plot]'."
        ) from error
    return plt


def axes(ax):
    """``ax``, or new axes where it is None.

    Raises
    ------
    TypeError
        If it is something else.
    """
    plt = pyplot()
    if ax is None:
        return plt.subplots()[1]
    if not isinstance(ax, plt.Axes):
        raise TypeError(f"ax must be Axes of matplotlib or None, got {ax!r}.")
    return ax
