/* Draw every figure of the page: the data come as JSON in the page (json_script), Plotly draws them. */

document.addEventListener("htmx:load", ({ detail }) => {
  for (const box of detail.elt.querySelectorAll("[data-figure]")) {
    const { data, layout } = JSON.parse(document.getElementById(box.dataset.figure).textContent)
    Plotly.react(box, data, layout, { responsive: true, displayModeBar: false, showSendToCloud: false })
  }
})

/* On paper a figure is as wide as the page, not as the window was. */
const PAPER_WIDTH = 680
const figures = () => document.querySelectorAll("[data-figure].js-plotly-plot")
addEventListener("beforeprint", () => { for (const box of figures()) Plotly.relayout(box, { width: PAPER_WIDTH }) })
addEventListener("afterprint", () => { for (const box of figures()) Plotly.relayout(box, { width: null, autosize: true }) })
