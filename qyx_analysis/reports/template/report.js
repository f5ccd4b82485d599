// What a report gains where scripts run; without them it is complete, and sorted as it was written.
for (const table of document.querySelectorAll("main table")) {
  if (table.tBodies[0].rows.length > 2) new Tablesort(table);
}
document.addEventListener("click", (event) => {
  if (event.target.closest(".folded a")) event.target.closest("details").open = false;
});
addEventListener("beforeprint", () => {
  for (const data of document.querySelectorAll("details.data")) data.open = true;
});
