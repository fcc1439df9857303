"""The palette of the book: of its figures, and of the site around them."""

# Dark enough to be read as text on white (contrast above 4.5), apart for colour-blind readers
# in hue and lightness. Figures use these and no others: the dark theme's figures are made from the
# light ones by exchanging each colour for its twin.
COLORS = {
    "text": "#222222",
    "muted": "#5f6368",
    "grid": "#d9dce0",
    "background": "#ffffff",
    "blue": "#0060a8",
    "orange": "#b34e00",
    "green": "#00765a",
    "purple": "#8a4a9e",
    "red": "#c0272d",
}
DARK = {
    "text": "#e6e6e6",
    "muted": "#a8adb5",
    "grid": "#3a3f4a",
    "background": "#1e2129",
    "blue": "#6cb8f0",
    "orange": "#f5a55b",
    "green": "#4fcba5",
    "purple": "#cfa0e0",
    "red": "#ff8a80",
}
