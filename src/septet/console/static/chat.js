// Answers the form word by word. The finished exchange comes rendered from the server, as it does without script.
"use strict";
(() => {
  const form = document.getElementById("ask");
  if (!form) return;
  const field = document.getElementById("question");
  const send = document.getElementById("send");
  const stop = document.getElementById("stop");
  const log = document.getElementById("log");
  const problem = document.getElementById("problem");
  let running = null;

  function element(tag, name, text) {
    const made = document.createElement(tag);
    made.className = name;
    made.textContent = text;
    return made;
  }

  function tell(text) {
    problem.replaceChildren();
    if (!text) return;
    const said = element("p", "notice bad", "");
    said.append(element("strong", "", form.dataset.problem), " ", text);
    problem.append(said);
  }

  async function* lines(answer) {
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) break;
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      for (const part of parts) if (part) yield JSON.parse(part);
    }
  }

  async function ask(question) {
    running = new AbortController();
    send.disabled = true;
    stop.hidden = false;
    tell("");
    const exchange = element("article", "exchange", "");
    const asked = element("p", "asked", "");
    asked.append(element("span", "who", form.dataset.you), ` ${question}`);
    const said = element("p", "said writing", form.dataset.thinking);
    exchange.setAttribute("aria-busy", "true");
    exchange.append(asked, said);
    log.append(exchange);
    exchange.scrollIntoView({ block: "end" });
    let text = "";
    let whole = false;
    try {
      const answer = await fetch(form.dataset.stream, {
        method: "POST",
        body: new URLSearchParams({ question }),
        signal: running.signal,
      });
      for await (const line of lines(answer)) {
        if (line.piece !== undefined) {
          text += line.piece;
          said.textContent = text;
        } else if (line.html !== undefined) {
          const fresh = new DOMParser().parseFromString(line.html, "text/html").querySelector("article");
          exchange.replaceWith(document.adoptNode(fresh));
          fresh.scrollIntoView({ block: "end" });
          whole = true;
        } else if (line.problem !== undefined) {
          tell(line.problem);
        }
      }
      if (!whole && !problem.hasChildNodes()) tell(form.dataset.lost);
    } catch (error) {
      tell(error.name === "AbortError" ? form.dataset.stopped : form.dataset.lost);
    }
    if (whole) field.value = "";
    else exchange.remove();
    running = null;
    send.disabled = false;
    stop.hidden = true;
    field.focus();
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const question = field.value.trim();
    if (running) return;
    if (question) ask(question);
    else tell(form.dataset.nothing);
  });
  // Feedback is sent by script where there is one, so that the exchanges above stay on the page.
  log.addEventListener("submit", async (event) => {
    event.preventDefault();
    const rated = event.target;
    const body = new URLSearchParams(new FormData(rated, event.submitter));
    try {
      const answer = await fetch(rated.action, { method: "POST", body });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const said = page.querySelector("#thanks p, #problem p");
      if (answer.ok && said) rated.replaceWith(document.adoptNode(said));
      else tell(said ? said.textContent : form.dataset.lost);
    } catch {
      tell(form.dataset.lost);
    }
  });
  stop.addEventListener("click", () => running && running.abort());
  field.addEventListener("keydown", (event) => {
    // While an input method composes Chinese, Enter chooses a word and must not send.
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      form.requestSubmit();
    }
  });
})();
