// An error that stays until it is read: what, where, what to do.
import type { ComponentChildren } from "preact";
import { ApiError } from "../http";
import { has, t } from "../i18n";
import { Icon } from "./icons";

export function explain(error: unknown): string {
  if (!(error instanceof ApiError)) return t("error.page", { detail: String(error) });
  if (error.status === 0) return t("error.unreachable");
  if (error.code && has(`error.code.${error.code}`)) return t(`error.code.${error.code}`, { detail: error.message });
  const known = `error.${error.status}`;
  const sentence = has(known) ? t(known) : t("error.other", { status: String(error.status) });
  return error.message ? `${sentence} ${t("error.detail", { detail: error.message })}` : sentence;
}

export function Notice(props: { error: unknown; what?: string; onRetry?: () => void; children?: ComponentChildren }) {
  return (
    <div class="notice bad" role="alert">
      <Icon name="warn" />
      <div>
        {props.what && <strong>{props.what}: </strong>}
        {explain(props.error)}
        {props.children}
        {props.onRetry && <button class="plain" onClick={props.onRetry}>{t("error.retry")}</button>}
      </div>
    </div>
  );
}
