"use strict";
// Sorts tables by a click on a column's name and filters the table of languages. The page is whole
// without it.
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  const body = table.tBodies[0];
  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const numeric = head.classList.contains("number");
      const before = head.getAttribute("aria-sort");
      const first = numeric ? "descending" : "ascending";
      const other = numeric ? "ascending" : "descending";
      const order = before === first ? other : first;
      const sign = order === "ascending" ? 1 : -1;
      const key = (row) => row.cells[column].dataset.sort;
      const rows = [...body.rows].sort((a, b) => {
        const left = key(a), right = key(b);
        if (left === "" || right === "") return (left === "") - (right === "");
        return sign * (numeric ? left - right : left.localeCompare(right));
      });
      heads.forEach((each) => each.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", order);
      body.append(...rows);
    });
  });
}
const filter = document.getElementById("filter");
const rows = [...document.querySelectorAll(".languages tbody tr")];
filter.closest("p").hidden = rows.length < 8;
filter.addEventListener("input", () => {
  const wanted = filter.value.trim().toLocaleLowerCase();
  let found = 0;
  for (const row of rows) {
    row.hidden = !row.textContent.toLocaleLowerCase().includes(wanted);
    found += !row.hidden;
  }
  document.getElementById("found").value = wanted ? `${found} of ${rows.length}` : "";
});
