// The wrong case was opened: choose the right one, look at both, confirm. What was recorded stays, and is about this one.
import { useState } from "preact/hooks";
import { t } from "../src/i18n";
import { Dialog } from "../src/parts/dialog";
import { Icon } from "../src/parts/icons";
import type { Props } from "./dialogs";
import { detailsOf } from "./opening";
import { ByHand, DocketList, useDocket, type Choice } from "./ready";

function Case({ cases, title, isPublic }: { cases: string[]; title: string; isPublic: boolean }) {
  return (
    <>
      <b>{cases.join(t("list.comma")) || t("station.no-case")}</b>{title && <span class="block">{title}</span>}
      {!isPublic && <span class="docket-closed"><Icon name="lock" />{t("open.not-public")}</span>}
    </>
  );
}

function Choosing({ state, onClose, ...choice }: Choice & Pick<Props, "state" | "onClose">) {
  const { list, error } = useDocket(state.page.docket);
  return (
    <Dialog title={t("wrong.title")} onClose={onClose} wide>
      <p>{t("wrong.what")}</p>
      {state.page.docket && <DocketList state={state} list={list} error={error} focusFirst {...choice} />}
      {state.page.docket ? <details class="by-hand-too"><summary>{t("open.other")}</summary><ByHand {...choice} /></details> : <ByHand {...choice} autofocus />}
    </Dialog>
  );
}

export function CorrectDialog({ desk, state, actions, onClose }: Props) {
  const [chosen, choose] = useState<string | undefined>();
  const hearing = state.hearing;
  if (!hearing) return null;
  const off = actions.busy || desk.word === "lost" || desk.word === "finishing" || state.trouble !== undefined;
  if (chosen === undefined) return <Choosing key="choose" state={state} onClose={onClose} off={off} word={t("wrong.choose")} choose={choose} />;
  const next = detailsOf({ line: 0, details: chosen });
  const confirm = async () => {
    if (await actions.run("correct", { details: chosen })) onClose();
  };
  return (
    <Dialog key="confirm" title={t("wrong.sure")} onClose={onClose}>
      <dl class="wrong-right">
        <dt>{t("wrong.before")}</dt><dd><Case cases={hearing.cases} title={hearing.title} isPublic={hearing.public} /></dd>
        <dt>{t("wrong.after")}</dt><dd><Case cases={next.cases} title={next.title} isPublic={next.public} /></dd>
      </dl>
      <p>{t("wrong.kept")}</p>
      <div class="buttons">
        <button class="main huge" autoFocus disabled={off} onClick={() => void confirm()}>{t("wrong.yes")}</button>
        <button class="huge" disabled={actions.busy} onClick={() => choose(undefined)}>{t("wrong.back")}</button>
      </div>
    </Dialog>
  );
}
