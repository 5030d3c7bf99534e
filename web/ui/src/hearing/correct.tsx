// Correcting the details: a reason is required, and what was there before stays visible for ever.
import { useState } from "preact/hooks";
import { api } from "../api";
import { t } from "../i18n";
import { Dialog } from "../parts/dialog";
import { Icon } from "../parts/icons";
import { Notice } from "../parts/notice";
import type { Details, Hearing, Party } from "../types";

interface Props { hearing: Hearing; onClose: () => void; onDone: (hearing: Hearing) => void }

const lines = (text: string) => text.split("\n").map((line) => line.trim()).filter((line) => line !== "");

export function CorrectForm({ hearing, onClose, onDone }: Props) {
  const old = hearing.details;
  const [cases, setCases] = useState(old.cases.join("\n"));
  const [title, setTitle] = useState(old.title);
  const [parties, setParties] = useState<Party[]>(old.parties.length > 0 ? old.parties : [{ name: "", role: "" }]);
  const [judges, setJudges] = useState(old.judges.join("\n"));
  const [clerk, setClerk] = useState(old.clerk);
  const [isPublic, setPublic] = useState(old.public);
  const [reason, setReason] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    const details: Details = {
      ...old, cases: lines(cases), title: title.trim(), judges: lines(judges), clerk: clerk.trim(), public: isPublic,
      parties: parties.filter((p) => p.name.trim() !== "").map((p) => ({ ...p, name: p.name.trim(), role: p.role.trim() })),
    };
    try {
      onDone(await api.correct(hearing.id, details, reason.trim()));
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  const setParty = (index: number, part: Partial<Party>) =>
    setParties(parties.map((party, i) => (i === index ? { ...party, ...part } : party)));
  return (
    <Dialog title={t("correct.title")} wide onClose={onClose}>
      <form class="correct" onSubmit={submit}>
        <label>{t("details.cases")} <small class="quiet">{t("correct.one-per-line")}</small>
          <textarea rows={Math.max(1, lines(cases).length)} required value={cases} onInput={(e) => setCases(e.currentTarget.value)} /></label>
        <label>{t("details.title")}<input value={title} maxLength={500} onInput={(e) => setTitle(e.currentTarget.value)} /></label>
        <fieldset>
          <legend>{t("details.parties")}</legend>
          {parties.map((party, i) => (
            <div class="party" key={i}>
              <input aria-label={t("correct.party-name", { n: i + 1 })} value={party.name} onInput={(e) => setParty(i, { name: e.currentTarget.value })} />
              <input aria-label={t("correct.party-role", { n: i + 1 })} placeholder={t("correct.role")} value={party.role}
                onInput={(e) => setParty(i, { role: e.currentTarget.value })} />
              <button type="button" class="square" aria-label={t("correct.party-remove", { name: party.name || String(i + 1) })}
                onClick={() => setParties(parties.filter((_, k) => k !== i))}><Icon name="cross" /></button>
            </div>
          ))}
          <button type="button" onClick={() => setParties([...parties, { name: "", role: "" }])}>{t("correct.party-add")}</button>
        </fieldset>
        <label>{t("details.judges")} <small class="quiet">{t("correct.one-per-line")}</small>
          <textarea rows={Math.max(1, lines(judges).length)} value={judges} onInput={(e) => setJudges(e.currentTarget.value)} /></label>
        <label>{t("details.clerk")}<input value={clerk} onInput={(e) => setClerk(e.currentTarget.value)} /></label>
        <label class="tick"><input type="checkbox" checked={isPublic} onChange={(e) => setPublic(e.currentTarget.checked)} />{t("details.public-yes")}</label>
        <label class="reason">{t("correct.reason")}
          <textarea rows={2} required maxLength={1000} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
        <p class="quiet small">{t("correct.kept")}</p>
        {error !== undefined && <Notice error={error} what={t("correct.failed")} />}
        <div class="buttons">
          <button class="main" disabled={busy || !reason.trim()}>{t("correct.save")}</button>
          <button type="button" onClick={onClose}>{t("dialog.cancel")}</button>
        </div>
      </form>
    </Dialog>
  );
}
