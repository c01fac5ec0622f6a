/* Draw every figure of the page: the data come as JSON in the page (json_script), Plotly draws them. */

document.addEventListener("htmx:load", ({ detail }) => {
  for (const box of detail.elt.querySelectorAll("[data-figure]")) {
    const { data, layout } = JSON.parse(document.getElementById(box.dataset.figure).textContent)
    Plotly.react(box, data, layout, { responsive: true, displayModeBar: false, showSendToCloud: false })
  }
})
