import "./style/base.css";
import "./style/find.css";
import "./style/hearing.css";
import "./style/timeline.css";
import "./style/pages.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { api } from "./api";
import { ApiError } from "./http";
import { chosenLanguage, language, setLanguage, t, type Language } from "./i18n";
import { Find } from "./pages/find";
import { SignIn } from "./pages/sign_in";
import { LanguageChoice } from "./parts/language_choice";
import { lazily } from "./parts/lazy";
import { Notice } from "./parts/notice";
import { followLinks, href, useQuery } from "./router";
import type { Places, Session } from "./types";

const HearingPage = lazily(() => import("./pages/hearing").then((m) => m.HearingPage));
const StatusPage = lazily(() => import("./pages/status").then((m) => m.StatusPage));
const AuditPage = lazily(() => import("./pages/audit").then((m) => m.AuditPage));

const may = (session: Session, ...roles: string[]) => roles.some((role) => session.roles.includes(role));
const mayFind = (s: Session) => may(s, "clerk", "judge", "auditor");
const maySeeStatus = (s: Session) => may(s, "operator", "auditor");

function pageOf(query: Record<string, string>, session: Session): string {
  if (query["hearing"] && query["page"] !== "audit") return "hearing";
  if (query["page"]) return query["page"];
  return mayFind(session) ? "find" : "status";
}

function App() {
  const [session, setSession] = useState<Session | "none" | undefined>();
  const [places, setPlaces] = useState<Places>({ courts: [] });
  const [error, setError] = useState<unknown>();
  const [, setTongue] = useState<Language>(language());
  const query = useQuery();

  const switchLanguage = async (code: Language, remember: boolean) => {
    await setLanguage(code, remember);
    setTongue(code);
  };
  const enter = async (who: Session) => {
    await switchLanguage(chosenLanguage(who.language), false);
    setSession(who);
    if (mayFind(who) || maySeeStatus(who)) api.places().then(setPlaces, () => undefined);
  };
  useEffect(() => {
    api.session().then(enter, (e: unknown) => {
      if (e instanceof ApiError && e.status === 401) setSession("none");
      else setError(e);
    });
    document.addEventListener("click", followLinks);
    return () => document.removeEventListener("click", followLinks);
  }, []);
  useEffect(() => {
    document.title = t("app.title");
  });

  if (error) return <main class="alone"><Notice error={error} what={t("app.title")} /></main>;
  if (!session) return <main class="alone" aria-busy="true" />;
  const signOut = async () => {
    await api.signOut().catch(() => undefined);
    location.assign("/");
  };
  if (session === "none") return <SignIn onDone={enter} onLanguage={switchLanguage} />;
  const page = pageOf(query, session);
  return (
    <>
      <a class="skip" href="#main">{t("app.skip")}</a>
      <header class="top">
        <a class="mark-name" href="/">{t("app.name")}</a>
        <nav aria-label={t("nav.label")}>
          {mayFind(session) && <NavLink to={{}} here={page === "find" || page === "hearing"}>{t("nav.find")}</NavLink>}
          {maySeeStatus(session) && <NavLink to={{ page: "status" }} here={page === "status"}>{t("nav.status")}</NavLink>}
          {maySeeStatus(session) && <NavLink to={{ page: "audit" }} here={page === "audit"}>{t("nav.audit")}</NavLink>}
        </nav>
        <div class="who">
          <LanguageChoice onChange={switchLanguage} />
          <span class="person" title={session.roles.map((r) => t(`role.${r}`)).join(t("list.comma"))}>{session.name}</span>
          <button class="plain" title={session.name} onClick={signOut}>{t("nav.sign-out")}</button>
        </div>
      </header>
      <main id="main" tabIndex={-1} class={`page page-${page}`} key={`${page}${language()}`}>
        {page === "hearing" && <HearingPage key={query["hearing"]} id={query["hearing"]!} session={session} />}
        {page === "find" && <Find query={query} places={places} />}
        {page === "status" && <StatusPage />}
        {page === "audit" && <AuditPage query={query} session={session} />}
      </main>
    </>
  );
}

function NavLink({ to, here, children }: { to: Record<string, string>; here: boolean; children: preact.ComponentChildren }) {
  return <a href={href(to)} aria-current={here ? "page" : undefined}>{children}</a>;
}

void setLanguage(chosenLanguage(), false).then(() => render(<App />, document.getElementById("app")!));
