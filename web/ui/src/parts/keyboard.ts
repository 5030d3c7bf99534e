// Keys that act on the page as a whole, and those that belong to what has the focus.

// Typing is never taken for a command, nor Space on a control that Space presses.
export function meantForControl(event: KeyboardEvent): boolean {
  const target = event.target as Element;
  if (event.ctrlKey || event.altKey || event.metaKey) return true;
  if (document.querySelector("dialog[open]")) return true;
  if (target.closest("input:not([type=range]):not([type=checkbox]), textarea, select, [contenteditable]")) return true;
  if (event.key === " " && target.closest("button, a, summary, input")) return true;
  return event.key.startsWith("Arrow") && target.closest("[role=slider], input, [role=tablist]") !== null;
}
