// A modal dialog with the browser's own focus trap; Escape and the button close it.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { t } from "../i18n";
import { Icon } from "./icons";

interface Props { title: string; onClose: () => void; children: ComponentChildren; wide?: boolean }

export function Dialog({ title, onClose, children, wide }: Props) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!;
    if (!dialog.open) dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog ref={ref} class={wide ? "wide" : ""} aria-labelledby="dialog-title" onCancel={(e) => { e.preventDefault(); onClose(); }}>
      <div class="dialog-head">
        <h2 id="dialog-title">{title}</h2>
        <button class="plain square" aria-label={t("dialog.close")} onClick={onClose}><Icon name="cross" /></button>
      </div>
      {children}
    </dialog>
  );
}
