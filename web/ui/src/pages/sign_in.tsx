import { useEffect, useRef, useState } from "preact/hooks";
import { api } from "../api";
import { ApiError } from "../http";
import { t, type Language } from "../i18n";
import { LanguageChoice } from "../parts/language_choice";
import { Notice } from "../parts/notice";
import type { Session } from "../types";

interface Props {
  onDone: (session: Session) => void;
  onLanguage: (code: Language, remember: boolean) => void;
}

export function SignIn({ onDone, onLanguage }: Props) {
  const [account, setAccount] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const first = useRef<HTMLInputElement>(null);
  useEffect(() => first.current?.focus(), []);

  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    try {
      onDone(await api.signIn(account.trim(), password));
    } catch (e) {
      setError(e);
      setPassword("");
    }
    setBusy(false);
  };
  return (
    <main class="sign-in" id="main">
      <div class="sign-in-head">
        <h1>{t("app.name")}</h1>
        <LanguageChoice onChange={onLanguage} />
      </div>
      <p class="quiet">{t("sign-in.intro")}</p>
      <form onSubmit={submit}>
        <label for="account">{t("sign-in.account")}</label>
        <input id="account" ref={first} autoComplete="username" autoCapitalize="none" spellcheck={false} required
          value={account} onInput={(e) => setAccount(e.currentTarget.value)} />
        <label for="password">{t("sign-in.password")}</label>
        <input id="password" type="password" autoComplete="current-password" required
          value={password} onInput={(e) => setPassword(e.currentTarget.value)} />
        <SignInError error={error} />
        <button class="main" disabled={busy}>{t("sign-in.submit")}</button>
      </form>
      <p class="quiet small">{t("sign-in.logged")}</p>
    </main>
  );
}

function SignInError({ error }: { error: unknown }) {
  if (!error) return null;
  if (error instanceof ApiError && error.status === 401) {
    return <div class="notice bad" role="alert">{t("sign-in.wrong")}</div>;
  }
  if (error instanceof ApiError && error.status === 429) {
    return <div class="notice bad" role="alert">{t("sign-in.too-many", { n: error.retryAfterS || 60 })}</div>;
  }
  return <Notice error={error} />;
}
