// A component whose code is fetched when it is first shown: the first page stays small.
import type { ComponentType } from "preact";
import { useEffect, useState } from "preact/hooks";
import { t } from "../i18n";
import { Notice } from "./notice";

export function lazily<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | undefined;
  return function Lazy(props: P) {
    const [ready, setReady] = useState<boolean>(loaded !== undefined);
    const [error, setError] = useState<unknown>();
    useEffect(() => {
      if (loaded) return;
      load().then((component) => {
        loaded = component;
        setReady(true);
      }, setError);
    }, []);
    if (error) return <Notice error={error} what={t("app.title")} />;
    if (!ready || !loaded) return <div aria-busy="true" class="loading" />;
    const Component = loaded as ComponentType<object>;
    return <Component {...props} />;
  };
}
