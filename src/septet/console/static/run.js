// Follows a run: asks for the live part of the page again and replaces only the sections that changed, so that focus,
// selection and opened details elsewhere stay as they are.
"use strict";
(() => {
  const live = document.getElementById("live");
  const every = 1000;

  function renew(html) {
    const fresh = new DOMParser().parseFromString(html, "text/html");
    for (const section of fresh.querySelectorAll("section[id]")) {
      const old = document.getElementById(section.id);
      if (!old || old.outerHTML === section.outerHTML || old.contains(document.activeElement)) continue;
      for (const details of old.querySelectorAll("details[open][id]")) {
        const same = section.querySelector(`#${CSS.escape(details.id)}`);
        if (same) same.open = true;
      }
      old.replaceWith(document.adoptNode(section));
    }
  }

  async function follow() {
    let state = live.dataset.state;
    try {
      const answer = await fetch(live.dataset.live, { headers: { accept: "text/html" } });
      if (answer.ok) {
        state = answer.headers.get("x-run-state");
        renew(await answer.text());
      }
    } catch {
      // The console may be starting again: the next round asks anew.
    }
    live.dataset.state = state;
    if (state === "running") setTimeout(follow, every);
  }

  if (live.dataset.state === "running") setTimeout(follow, every);
})();
