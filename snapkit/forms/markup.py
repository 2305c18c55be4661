"""The look of forms: plain values in, escaped HTML out.

Colours are those of the notebook's theme, so that a dark one needs nothing more.
"""

from collections.abc import Sequence
from html import escape

_RULES = """
.snapkit-form { container-type: inline-size; width: 100%; max-width: 760px; box-sizing: border-box; margin: 4px 0;
  padding: 8px 16px 12px; border-radius: 4px; border: 1px solid var(--jp-border-color2, #bdbdbd);
  color: var(--jp-ui-font-color1, #212121); overflow: visible;
  /* That of ipywidgets is black in the dark as well. */
  --jp-widgets-dropdown-arrow: url("data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' \
viewBox='0 0 18 18'%3E%3Cpath fill='%23808080' d='M5 7h8l-4 5z'/%3E%3C/svg%3E"); }
.snapkit-form .widget-html, .snapkit-form .widget-html-content { height: auto; margin: 0; line-height: 1.45;
  white-space: normal; overflow-wrap: anywhere; }
.snapkit-form h3.snapkit-title { margin: 4px 0 8px; font-size: 16px; font-weight: 600; line-height: 1.35; }
.snapkit-form .snapkit-field { flex-flow: column; align-items: stretch; margin: 0 0 6px; overflow: visible; }
.snapkit-form .snapkit-control { flex: none; min-width: 0; overflow: visible; }
.snapkit-form .snapkit-note { flex: none; min-width: 0; min-height: 36px; font-size: 12px; }
.snapkit-form .snapkit-control .widget-inline-hbox { flex-direction: column; align-items: stretch; width: 100%;
  height: auto; margin: 0; overflow: visible; }
.snapkit-form .snapkit-control .widget-inline-hbox > .widget-label { width: auto; max-width: none; text-align: left;
  height: auto; line-height: 22px; font-weight: 600; overflow: visible; white-space: normal; }
.snapkit-form .snapkit-control input, .snapkit-form .snapkit-control select, .snapkit-form .snapkit-control textarea {
  font-family: inherit; font-size: 13px; }
.snapkit-form .snapkit-control .widget-dropdown > select { flex: 0 0 28px; height: 28px; }
.snapkit-form .snapkit-control .widget-checkbox { margin: 0; width: 100%; }
.snapkit-form .snapkit-control .widget-checkbox .widget-label-basic { display: flex; width: 100%; height: auto;
  align-items: flex-start; line-height: 1.4; padding: 3px 0; white-space: normal; overflow-wrap: anywhere; }
.snapkit-form .snapkit-control .widget-checkbox .widget-label-basic input { margin: 3px 8px 0 2px; flex: none;
  align-self: flex-start; }
.snapkit-form .snapkit-label { font-weight: 600; line-height: 22px; }
.snapkit-form .snapkit-hidden { display: none; }
.snapkit-form .snapkit-field input:focus-visible, .snapkit-form .snapkit-field textarea:focus-visible,
.snapkit-form .snapkit-field select:focus-visible, .snapkit-form button:focus-visible {
  outline: 2px solid var(--jp-brand-color1, #1976d2) !important; outline-offset: 1px; }
.snapkit-form .snapkit-more { margin: 4px 0 8px; }
.snapkit-form .snapkit-buttons { align-items: center; gap: 8px; margin: 8px 0; flex-wrap: wrap; overflow: visible; }
.snapkit-form .snapkit-buttons .widget-button { margin: 0; padding: 0 16px; }
.snapkit-form .snapkit-list { margin: 4px 0 0; padding-left: 18px; }
.snapkit-form .snapkit-list li { margin: 2px 0; }
.snapkit-form .snapkit-hint { color: var(--jp-ui-font-color1, #212121); opacity: 0.75; }
.snapkit-form .snapkit-problem { color: var(--jp-error-color1, #b71c1c); font-weight: 600; }
.snapkit-form .snapkit-alert, .snapkit-form .snapkit-told { margin: 4px 0; padding: 4px 10px;
  border-left: 4px solid var(--jp-border-color1, #9e9e9e); background: var(--jp-layout-color2, #eeeeee); }
.snapkit-form .snapkit-alert { border-left-color: var(--jp-error-color1, #b71c1c); }
.snapkit-form .snapkit-good { border-left-color: var(--jp-success-color1, #2e7d32); }
@container (min-width: 560px) {
  .snapkit-form .snapkit-field { flex-flow: row; }
  .snapkit-form .snapkit-control, .snapkit-form .snapkit-note { flex: 1 1 0; }
  .snapkit-form .snapkit-note { padding: 22px 0 0 16px; min-height: 54px; box-sizing: border-box; }
}
.snapkit-form .snapkit-section.snapkit-field { flex-flow: column; align-items: stretch; }
.snapkit-form .snapkit-section > .snapkit-control { flex: none; }
.snapkit-form .snapkit-section > .snapkit-note { flex: none; min-height: 0; padding: 0; }
.snapkit-form .snapkit-choices > .snapkit-note { min-height: 20px; }
"""
STYLE = f"<style>{_RULES}</style>"
"""Of all forms; it is part of each, as each may be alone on a page."""


def title(text: str) -> str:
    """Write the heading of a form."""
    return f'{STYLE}<h3 class="snapkit-title">{escape(text)}</h3>'


def label(text: str) -> str:
    """Write the label of a field that is made of several inputs."""
    return f'<div class="snapkit-label">{escape(text)}</div>'


def note(hint: str, problem: str) -> str:
    """Write what stands beside a field: what is wrong with it, or else what it is for."""
    if problem:
        return f'<div role="status" class="snapkit-problem">{escape(problem)}</div>'
    return f'<div role="status" class="snapkit-hint">{escape(hint)}</div>'


def alert(text: str) -> str:
    """Write what went wrong; nothing where nothing did."""
    return f'<div role="alert" class="snapkit-alert">{escape(text)}</div>' if text else ""


def status(text: str, *, good: bool = False) -> str:
    """Write how far it is, or what came of it."""
    return f'<div role="status" class="snapkit-told{" snapkit-good" * good}">{escape(text)}</div>' if text else ""


def sentences(texts: Sequence[str], *, away: bool) -> str:
    """Write what will happen, a line each; what does not hold for now keeps its place and cannot be seen or heard."""
    items = "".join(f"<li>{escape(text)}</li>" for text in texts)
    hidden = ' style="visibility: hidden"' if away else ""
    return f'<div role="status"{hidden}><ul class="snapkit-list">{items}</ul></div>'
