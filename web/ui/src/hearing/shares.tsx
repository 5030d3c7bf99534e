// Which other courts may see this hearing: the list, and for the clerk of its court the way to share it and to end that.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { nameOf, t } from "../i18n";
import { Dialog } from "../parts/dialog";
import { Notice } from "../parts/notice";
import { dateTime, dayOf, endOfDay, parseUtc, toUtc } from "../time";
import type { Hearing, Places, Share } from "../types";

const courtOf = (share: Share) => nameOf(share.court_names, share.court);

export function Shares({ hearing }: { hearing: Hearing }) {
  const [shares, setShares] = useState<Share[] | undefined>();
  const [error, setError] = useState<unknown>();
  const [sharing, setSharing] = useState(false);
  const [ending, setEnding] = useState<Share | undefined>();
  const load = () => api.shares(hearing.id).then((list) => { setShares(list.shares); setError(undefined); }, setError);
  useEffect(() => void load(), [hearing.id]);
  const taken = (list: Share[]) => {
    setShares(list);
    setSharing(false);
    setEnding(undefined);
  };
  const may = hearing.rights.share;
  if (!may && shares?.length === 0) return null;
  return (
    <section class="shares" aria-label={t("share.title")}>
      <h2>{t("share.title")}</h2>
      {error !== undefined && <Notice error={error} what={t("share.title")} onRetry={() => void load()} />}
      {shares?.length === 0 && <p class="quiet small">{t("share.none")}</p>}
      <ul>
        {shares?.map((share) => (
          <li key={share.court} data-state={share.state}>
            <p><strong>{courtOf(share)}</strong> <span class={share.state === "active" ? "good-text" : "quiet"}>{t(`share.state.${share.state}`)}</span></p>
            <Facts share={share} zone={hearing.zone} />
            {may && share.state === "active" && <button onClick={() => setEnding(share)} aria-label={t("share.end-of", { court: courtOf(share) })}>{t("share.end")}</button>}
          </li>
        ))}
      </ul>
      {may && <button onClick={() => setSharing(true)}>{t("share.open")}</button>}
      {sharing && <ShareForm hearing={hearing} onClose={() => setSharing(false)} onDone={taken} />}
      {ending && <EndForm hearing={hearing} share={ending} onClose={() => setEnding(undefined)} onDone={taken} />}
    </section>
  );
}

function Facts({ share, zone }: { share: Share; zone: string }) {
  const at = (utc: string) => dateTime(parseUtc(utc), zone);
  return (
    <>
      <p class="quiet small">{t("share.since", { time: at(share.utc), who: share.account_name })}
        {share.until && ` · ${t("share.until-time", { time: at(share.until) })}`}</p>
      <p class="small">{t("share.why", { reason: share.reason || t("details.empty") })}</p>
      {share.revoked && <p class="small">{t("share.ended", { time: at(share.revoked.utc), who: share.revoked.account_name, reason: share.revoked.reason })}</p>}
      {share.counterpart !== "same-log" && <p class="quiet small">{t(`share.counterpart.${share.counterpart}`)}</p>}
    </>
  );
}

interface FormProps { hearing: Hearing; onClose: () => void; onDone: (shares: Share[]) => void }

// What both dialogs do when they are sent.
function useSending(onDone: (shares: Share[]) => void) {
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const send = async (act: () => Promise<{ shares: Share[] }>) => {
    setBusy(true);
    setError(undefined);
    try {
      onDone((await act()).shares);
    } catch (e) {
      setError(e);
      setBusy(false);
    }
  };
  return { error, busy, send };
}

const kOther = "/"; // no name of a court

function ShareForm({ hearing, onClose, onDone }: FormProps) {
  const [places, setPlaces] = useState<Places | undefined>();
  const [missing, setMissing] = useState<unknown>();
  const [court, setCourt] = useState("");
  const [other, setOther] = useState("");
  const [until, setUntil] = useState("");
  const [reason, setReason] = useState("");
  const { error, busy, send } = useSending(onDone);
  useEffect(() => void api.places().then(setPlaces, setMissing), []);
  const submit = (event: Event) => {
    event.preventDefault();
    const share = { court: court === kOther ? other.trim() : court, reason: reason.trim() };
    void send(() => api.share(hearing.id, until ? { ...share, until: toUtc(endOfDay(until, hearing.zone)) } : share));
  };
  return (
    <Dialog title={t("share.open")} onClose={onClose}>
      <form class="correct" onSubmit={submit}>
        <label>{t("share.court")}
          <select required value={court} onChange={(e) => setCourt(e.currentTarget.value)}>
            <option value="">{t("share.choose")}</option>
            {places?.courts.filter((c) => c.court !== hearing.court).map((c) => <option key={c.court} value={c.court}>{nameOf(c.names, c.court)}</option>)}
            <option value={kOther}>{t("share.other")}</option>
          </select></label>
        {court === kOther && (
          <label>{t("share.other-name")} <small class="quiet">{t("share.other-note")}</small>
            <input required value={other} maxLength={160} spellcheck={false} placeholder={t("share.other-example")} onInput={(e) => setOther(e.currentTarget.value)} /></label>
        )}
        <label>{t("share.until")} <small class="quiet">{t("share.until-note")}</small>
          <input type="date" min={dayOf(Date.now(), hearing.zone)} value={until} onInput={(e) => setUntil(e.currentTarget.value)} /></label>
        <label class="reason">{t("share.reason")}
          <textarea rows={2} required maxLength={600} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
        <p class="quiet small">{t("share.note")}</p>
        {missing !== undefined && <Notice error={missing} />}
        {error !== undefined && <Notice error={error} what={t("share.failed")} />}
        <div class="buttons">
          <button class="main" disabled={busy || !court || !reason.trim()}>{t("share.do")}</button>
          <button type="button" onClick={onClose}>{t("dialog.cancel")}</button>
        </div>
      </form>
    </Dialog>
  );
}

function EndForm({ hearing, share, onClose, onDone }: FormProps & { share: Share }) {
  const [reason, setReason] = useState("");
  const { error, busy, send } = useSending(onDone);
  const submit = (event: Event) => {
    event.preventDefault();
    void send(() => api.endShare(hearing.id, share.court, reason.trim()));
  };
  return (
    <Dialog title={t("share.end-of", { court: courtOf(share) })} onClose={onClose}>
      <form class="correct" onSubmit={submit}>
        <label class="reason">{t("share.end-reason")}
          <textarea rows={2} required maxLength={600} value={reason} onInput={(e) => setReason(e.currentTarget.value)} /></label>
        <p class="quiet small">{t("share.end-note")}</p>
        {error !== undefined && <Notice error={error} what={t("share.end-failed")} />}
        <div class="buttons">
          <button class="main" disabled={busy || !reason.trim()}>{t("share.end")}</button>
          <button type="button" onClick={onClose}>{t("dialog.cancel")}</button>
        </div>
      </form>
    </Dialog>
  );
}
