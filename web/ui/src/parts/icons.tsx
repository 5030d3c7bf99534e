// The few signs of the pages. Each stands beside a word or inside a control that has a name.
const kPaths: Record<string, string> = {
  play: "M4 2.5v11l9-5.5z",
  pause: "M4 2.5h3v11H4zM9 2.5h3v11H9z",
  previous: "M3 3h2v10H3zM13 3v10L6 8z",
  next: "M11 3h2v10h-2zM3 3v10l7-5z",
  back: "M8 3v10L2 8zM14 3v10L8 8z",
  forward: "M2 3v10l6-5zM8 3v10l6-5z",
  flag: "M3 1.5h1.5V2H13l-2.2 3L13 8H4.5v6.5H3z",
  check: "M6.4 12.6 2 8.2l1.4-1.4 3 3L12.6 3 14 4.4z",
  cross: "m3.4 2 4.6 4.6L12.6 2 14 3.4 9.4 8l4.6 4.6-1.4 1.4L8 9.4 3.4 14 2 12.6 6.6 8 2 3.4z",
  warn: "M8 1.2 15.4 14H.6zM7.2 6v4h1.6V6zm0 5v1.6h1.6V11z",
  camera: "M1 4h9.5v8H1zM11.5 7 15 4.5v7L11.5 9z",
  microphone: "M6 1.5h4v7H6zM3.5 7.5H5a3 3 0 0 0 6 0h1.5a4.5 4.5 0 0 1-3.8 4.4V14H11v1H5v-1h2.3v-2.1a4.5 4.5 0 0 1-3.8-4.4z",
  screen: "M1 2h14v9H9v2h3v1H4v-1h3v-2H1zm1.5 1.5v6h11v-6z",
  search: "M6.5 1.5a5 5 0 0 1 4 8l4 4-1.1 1.1-4-4a5 5 0 1 1-2.9-9.1m0 1.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  dot: "M8 3a5 5 0 1 1 0 10A5 5 0 0 1 8 3",
  lock: "M4.5 7V5a3.5 3.5 0 0 1 7 0v2H13v7.5H3V7zM6 7h4V5a2 2 0 0 0-4 0z",
  down: "m2.5 5 5.5 6 5.5-6z",
  full: "M2 2h5v1.5H3.5V7H2zm7 0h5v5h-1.5V3.5H9zM2 9h1.5v3.5H7V14H2zm10.5 0H14v5H9v-1.5h3.5z",
  window: "M1 3h14v10H1zm1.5 1.5v7h11v-7zM8 8h4.5v2.5H8z",
};

export function Icon({ name, class: extra = "" }: { name: string; class?: string }) {
  return (
    <svg class={`icon ${extra}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      <path d={kPaths[name] ?? ""} fill="currentColor" fill-rule="evenodd" />
    </svg>
  );
}
