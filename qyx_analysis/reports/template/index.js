// Search and filter; without it the page is complete. Its hash stands in the page's policy: nothing else runs.
"use strict";
const form = document.querySelector(".find");
if (form) {
  const find = document.getElementById("find"), group = document.getElementById("group");
  const said = form.querySelector("output"), reports = [...document.querySelectorAll(".report")];
  const show = () => {
    const words = find.value.normalize("NFKC").toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = group ? group.value : "";
    for (const report of reports) {
      const inGroup = !chosen || report.dataset.groups.split(";").includes(chosen);
      report.hidden = !(inGroup && words.every((word) => report.dataset.words.includes(word)));
    }
    for (const section of document.querySelectorAll(".found")) {
      section.hidden = !section.querySelector(".report:not([hidden])");
    }
    const n = reports.filter((report) => !report.hidden).length;
    const all = !words.length && !chosen;
    said.textContent = all ? "" : n ? said.dataset.count.replace("{n}", n).replace("{total}", reports.length) : said.dataset.none;
  };
  form.hidden = false;
  form.addEventListener("input", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  show(); // a browser may have kept what was typed before
}
