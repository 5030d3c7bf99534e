import { kLanguages, language, t, type Language } from "../i18n";

export function LanguageChoice({ onChange }: { onChange: (code: Language, remember: boolean) => void }) {
  return (
    <label class="tongue">
      <span class="hidden">{t("nav.language")}</span>
      <select value={language()} onChange={(e) => onChange(e.currentTarget.value as Language, true)}>
        {kLanguages.map((l) => <option key={l.code} value={l.code} lang={l.tag}>{l.name}</option>)}
      </select>
    </label>
  );
}
