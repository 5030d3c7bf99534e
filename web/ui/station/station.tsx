import "../src/style/base.css";
import "./station.css";
import { render } from "preact";
import { useEffect, useState } from "preact/hooks";
import { addWords, chosenLanguage, language, setLanguage, t, type Language } from "../src/i18n";
import { useActions } from "./actions";
import { Band, sentenceOf } from "./band";
import { Dialogs, type Shown } from "./dialogs";
import { Desk } from "./desk";
import { Facts } from "./facts";
import { useStationKeys } from "./keys";
import { Notices } from "./notices";
import { Ready } from "./ready";
import { Running } from "./running";
import { SignIn } from "./sign_in";
import { Tiles } from "./tiles";

const desk = new Desk();

function Page() {
  const [, redraw] = useState(0);
  const [, setTongue] = useState<Language>(language());
  const [shown, show] = useState<Shown | undefined>();
  const actions = useActions(desk);
  useEffect(() => desk.onChange(() => redraw((n) => n + 1)), []);
  useStationKeys({ desk, actions, show });

  const switchLanguage = async (code: Language, remember: boolean) => {
    await setLanguage(code, remember);
    setTongue(code);
  };
  const state = desk.state;
  const sentence = state ? sentenceOf(desk) : t("app.title");
  useEffect(() => {
    document.title = `${sentence} · ${t("app.name")}`;
  }, [sentence]);
  // A dialog about a hearing that is no longer there asks for nothing.
  useEffect(() => {
    if (shown && shown !== "keys" && shown !== "open" && !state?.hearing) show(undefined);
    if (shown === "open" && state?.hearing) show(undefined);
  }, [state?.hearing?.id]);

  if (desk.signedOut) return <SignIn desk={desk} onLanguage={switchLanguage} />;
  return (
    <div class={`station is-${desk.word} ${state?.hearing ? "open" : "idle"}`} key={language()}>
      <Band desk={desk} onWrong={() => show("correct")} />
      <p class="hidden" role="status" aria-live="assertive">{sentence}</p>
      <Notices desk={desk} actions={actions} show={show} />
      {state && (
        <main id="main">
          {state.hearing ? <Running desk={desk} state={state} actions={actions} show={show} />
            : <Ready desk={desk} state={state} actions={actions} show={show} />}
          <Tiles desk={desk} state={state} actions={actions} />
        </main>
      )}
      {state && <Facts desk={desk} state={state} actions={actions} show={show} onLanguage={switchLanguage} />}
      {state && shown && <Dialogs shown={shown} desk={desk} state={state} actions={actions} onClose={() => show(undefined)} />}
    </div>
  );
}

addWords({
  en: () => import("./lang/en.json").then((m) => m.default),
  fr: () => import("./lang/fr.json").then((m) => m.default),
  zh: () => import("./lang/zh.json").then((m) => m.default),
});
void setLanguage(chosenLanguage(), false).then(() => {
  render(<Page />, document.getElementById("app")!);
  desk.start();
});
