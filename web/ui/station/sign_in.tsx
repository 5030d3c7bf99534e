import { useState } from "preact/hooks";
import { t, type Language } from "../src/i18n";
import { ApiError } from "../src/http";
import { LanguageChoice } from "../src/parts/language_choice";
import { explain } from "../src/parts/notice";
import type { Desk } from "./desk";

function wordsOf(error: unknown): string {
  if (error instanceof ApiError && error.status === 401) return t("password.wrong");
  if (error instanceof ApiError && error.status === 429) return t("sign-in.too-many", { n: error.retryAfterS || 30 });
  return explain(error);
}

export function SignIn({ desk, onLanguage }: { desk: Desk; onLanguage: (code: Language, remember: boolean) => void }) {
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setError(undefined);
    await desk.signIn(password).catch(setError);
    setPassword("");
    setBusy(false);
  };
  return (
    <main class="sign-in" id="main">
      <div class="sign-in-head"><h1>{t("password.title")}</h1><LanguageChoice onChange={onLanguage} /></div>
      <form onSubmit={(event) => void submit(event)}>
        <label for="password">{t("sign-in.password")}</label>
        <input id="password" type="password" autoComplete="current-password" required autoFocus value={password} onInput={(e) => setPassword(e.currentTarget.value)} />
        {error !== undefined && <div class="notice bad" role="alert">{wordsOf(error)}</div>}
        <button class="main" disabled={busy}>{t("sign-in.submit")}</button>
      </form>
    </main>
  );
}
