// Audit: the archive's signed state, its entries, and the proof of any of them, checked in this page.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api";
import { Drills } from "../audit/drills";
import { EntryList } from "../audit/entry_list";
import { checkMain, type MainCheck } from "../audit/main_log";
import { VerifyHearing } from "../audit/verify_hearing";
import { number, t } from "../i18n";
import { Digest } from "../parts/copy";
import { Icon } from "../parts/icons";
import { Notice } from "../parts/notice";
import { Ago, Panel } from "../parts/panel";
import { siteOf } from "../hearing/names";
import { problemText } from "../hearing/problems";
import type { Query } from "../router";
import type { Hearing, LogState, Session } from "../types";

export function AuditPage({ query, session }: { query: Query; session: Session }) {
  const [log, setLog] = useState<LogState | undefined>();
  const [main, setMain] = useState<MainCheck | undefined>();
  const [error, setError] = useState<unknown>();
  useEffect(() => {
    api.status().then((status) => setLog(status.log), () => undefined);
    checkMain().then(setMain, setError);
  }, []);
  const mayVerify = session.roles.includes("auditor") || session.roles.includes("clerk") || session.roles.includes("judge");
  return (
    <>
      <h1>{t("audit.title")}</h1>
      {error !== undefined && <Notice error={error} what={t("audit.title")} />}
      <div class="panels">
        <Panel title={t("audit.checkpoint")}>
          {main && <MainState main={main} />}
          {log && (
            <dl>
              <div><dt>{t("status.log-entries")}</dt><dd class="num">{number(main?.size ?? log.size)}</dd></div>
              <div><dt>{t("status.log-root")}</dt><dd><Digest value={main?.root ?? log.root} /></dd></div>
              {log.utc && <div><dt>{t("status.log-signed")}</dt><dd><Ago utc={log.utc} now={Date.now()} /></dd></div>}
            </dl>
          )}
          {main && <details><summary>{t("audit.note")}</summary><pre tabIndex={0}>{main.note}</pre></details>}
        </Panel>
        <Panel title={t("status.cosigners")}>
          {main?.cosigners.map((c) => (
            <p key={c.name} class={c.state === "good" ? "good-text" : c.state === "bad" ? "bad-text" : "quiet"}>
              <Icon name={c.state === "good" ? "check" : c.state === "bad" ? "cross" : "dot"} />
              {" "}{t(`audit.cosigner.${c.state}`, { name: siteOf(c.name) })}
              {c.time !== undefined && <> · <Ago utc={new Date(c.time).toISOString()} now={Date.now()} /></>}
            </p>
          ))}
          {main && main.cosigners.length === 0 && <p class="attention-text"><Icon name="warn" />{t("status.no-cosigner")}</p>}
        </Panel>
        {mayVerify && <VerifyHearing start={query["hearing"] ?? ""} />}
      </div>
      <Drills />
      {main && <EntryList main={main} query={query} />}
    </>
  );
}

function MainState({ main }: { main: MainCheck }) {
  if (main.problems.length === 0) return <p class="good-text"><Icon name="check" />{t("audit.signature-good")}</p>;
  return (
    <ul class="bad-text">
      {main.problems.map((p) => <li key={p.code}><Icon name="cross" />{problemText(p, kNoHearing)}</li>)}
    </ul>
  );
}

const kNoHearing = { streams: [], zone: "UTC" } as unknown as Hearing;
