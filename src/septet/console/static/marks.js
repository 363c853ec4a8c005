// A click on a citation such as [1] opens the passage it points to. Without script the link still leads there.
"use strict";
document.addEventListener("click", (event) => {
  const link = event.target.closest("a.mark");
  if (!link) return;
  const passage = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!passage) return;
  event.preventDefault();
  passage.open = true;
  passage.querySelector("summary").focus();
  passage.scrollIntoView({ block: "nearest" });
});
