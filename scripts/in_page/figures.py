"""What matplotlib says at its first use here, and need not say."""

import logging
import warnings


def quiet() -> None:
    """Leave out that it looks for fonts, and that it has no third dimension."""
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", message="Unable to import Axes3D")
    warnings.filterwarnings("ignore", message="FigureCanvasAgg")  # plt.show(): figures are shown
