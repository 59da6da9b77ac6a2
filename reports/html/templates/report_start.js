// At last, when all parts are there: what follows the dataset, and the state in the address.

for (const select of $$("[data-state=view]")) {
  select.addEventListener("change", () => {
    chooseView(select.value);
    drawSceneTable();
    drawCharts();
    refresh();
  });
}
drawSceneTable();
recall();
remember();
