import { useState } from "preact/hooks";
import { t } from "../i18n";

// Says on itself that it has copied, or that the browser did not let it.
export function CopyButton({ text, label, class: extra = "" }: { text: string | (() => string); label: string; class?: string }) {
  const [state, setState] = useState<"" | "done" | "failed">("");
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(typeof text === "string" ? text : text());
      setState("done");
    } catch {
      setState("failed");
    }
    setTimeout(() => setState(""), 2500);
  };
  return (
    <button class={`copy ${extra}`} onClick={() => void copy()}>
      <span aria-live="polite">{state === "done" ? t("copy.done") : state === "failed" ? t("copy.failed") : label}</span>
    </button>
  );
}

// A digest: eight and four characters; the whole on demand.
export function Digest({ value }: { value: string }) {
  const [whole, setWhole] = useState(false);
  return (
    <span class="digest">
      <button class="plain" aria-expanded={whole} title={value} onClick={() => setWhole(!whole)}>
        <code>{whole ? value : `${value.slice(0, 8)}…${value.slice(-4)}`}</code>
      </button>
      {whole && <CopyButton text={value} label={t("copy.copy")} class="plain" />}
    </span>
  );
}
