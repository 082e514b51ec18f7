package document

// style is the only style of a page. Its colours are those of Okabe and Ito, which people
// tell apart who see colours differently; letters and frames say the same as colours.
const style = `
:root{--ink:#1a1a1a;--soft:#555;--line:#c9c9c9;--wash:#f5f4f0;--accent:#0b3c5d}
*{box-sizing:border-box}
html{background:#e9e7e1;color:var(--ink);font:16px/1.5 Charter,"Bitstream Charter","Source Serif 4",Georgia,"DejaVu Serif",serif}
body{margin:0}
main{max-width:62rem;margin:2rem auto;padding:3.5rem 4rem;background:#fff;box-shadow:0 1px 6px rgba(0,0,0,.15)}
h1,h2,h3,th,dt,nav,.kind,.tile,.mark,.legend,.cites,caption,figcaption,svg text{font-family:"Source Sans 3","Helvetica Neue",Arial,"Liberation Sans","DejaVu Sans",sans-serif}
h1{font-size:2.1rem;line-height:1.15;margin:.2rem 0 .4rem;overflow-wrap:anywhere;color:var(--accent)}
h2{font-size:1.35rem;margin:2.8rem 0 .8rem;padding-bottom:.3rem;border-bottom:2px solid var(--accent);color:var(--accent);overflow-wrap:anywhere}
h3{font-size:1.02rem;margin:1.6rem 0 .4rem;overflow-wrap:anywhere}
.count{display:inline-block;min-width:1.7rem;color:var(--soft);font-weight:400}
p{margin:.5rem 0;overflow-wrap:anywhere}
.kind{text-transform:uppercase;letter-spacing:.12em;font-size:.78rem;color:var(--soft);margin:0}
.subtitle{font-size:1.1rem;color:var(--soft);margin:0 0 1rem}
.particulars{margin:1.4rem 0;border-top:1px solid var(--line)}
.particulars div{display:grid;grid-template-columns:11rem 1fr;gap:1rem;padding:.35rem 0;border-bottom:1px solid var(--line)}
dt{font-size:.82rem;color:var(--soft);padding-top:.15rem}
dd{margin:0;overflow-wrap:anywhere}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.4rem;font-size:.78rem;color:var(--soft);background:var(--wash);padding:.6rem .8rem;margin:1rem 0}
.mark{display:inline-block;font-size:.62rem;font-weight:700;line-height:1.25;padding:0 .28rem;border-radius:2px;vertical-align:.15em}
.mark.fact{background:#0b3c5d;color:#fff;border:1px solid #0b3c5d}
.mark.inference{background:#ffe9b8;color:#5c3300;border:1px solid #8a4b00;padding:0 .38rem}
.mark.judgement{background:#fff;color:#6a1b4d;border:1.5px solid #6a1b4d;border-radius:.7em}
.cites{font-size:.62rem;color:var(--soft);margin-left:.2rem;vertical-align:.25em}
nav{font-size:.88rem;margin:1.5rem 0}
nav h2{font-size:.85rem;border:0;margin:0;color:var(--soft)}
nav ol{columns:2;margin:.3rem 0;padding-left:1.6rem}
a{color:var(--accent)}
.tiles{display:grid;grid-template-columns:repeat(3,1fr);gap:.8rem;margin:.6rem 0 1rem}
.tile{border:1px solid var(--line);border-top:6px solid #777;padding:.6rem .8rem;break-inside:avoid}
.tile.traceable{border-top-color:#0072b2}.tile.dark{border-top-color:#3a3a3a}.tile.frozen{border-top-color:#009e73}
.tile .name{font-size:.82rem;font-weight:700;margin:0}
.tile .value{font-size:1.5rem;font-weight:600;margin:0;font-variant-numeric:tabular-nums}
.tile .says{font-size:.8rem;line-height:1.35;color:#333;margin:.2rem 0 0}
table{border-collapse:collapse;width:100%;font-size:.82rem;line-height:1.35;margin:.8rem 0 1.4rem}
caption{text-align:left;font-size:.85rem;padding-bottom:.4rem;color:#222}
th{text-align:left;font-size:.74rem;color:var(--soft);border-bottom:1.5px solid var(--ink);padding:.25rem .5rem .25rem 0;vertical-align:bottom}
td{border-bottom:1px solid #e2e0da;padding:.3rem .5rem .3rem 0;vertical-align:top;overflow-wrap:break-word}
.number{text-align:right;font-variant-numeric:tabular-nums}th.number{padding-left:.6rem}
.time{white-space:nowrap}
ul{margin:.4rem 0;padding-left:1.2rem}li{margin:.25rem 0;overflow-wrap:anywhere}
.code{font-family:"DejaVu Sans Mono","Liberation Mono",Consolas,monospace;font-size:.68rem}th.code{font-family:"Source Sans 3","Helvetica Neue",Arial,"Liberation Sans","DejaVu Sans",sans-serif;font-size:.74rem}
.markcolumn{white-space:nowrap;text-align:right;padding-right:0;width:1%}
tr.total td{font-weight:600;font-family:inherit;font-size:.82rem;border-top:1.5px solid var(--ink);border-bottom:0}
.hidden{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
pre{background:var(--wash);border-left:4px solid var(--accent);padding:.7rem .9rem;font-size:.78rem;white-space:pre-wrap;overflow-wrap:anywhere}
.after{margin-top:-.6rem}
figure{margin:1rem 0 1.4rem}
svg{display:block;width:100%;height:auto}
figcaption{font-size:.82rem;color:#333;margin-top:.4rem}
svg .heading{font-size:12px;font-weight:700;fill:#555}
svg .label{font-size:12.5px;fill:#111}
svg .note{font-size:10.5px;fill:#555}
svg .axis{stroke:#999;fill:none}svg .grid{stroke:#ddd;fill:none}
svg .bar{fill:#777}svg .band{fill:#777;fill-opacity:.32}
svg .stolen{fill:#a3241b}svg .held{fill:#0072b2}svg .service{fill:#56b4e9}svg .in-transit{fill:#cc79a7}
svg .mixer{fill:#e69f00}svg .dark{fill:#3a3a3a}svg .frozen,svg .recovered{fill:#009e73}
svg .burned,svg .fee,svg .rounding,svg .truncated,svg .other{fill:#a9a49a}svg .move{fill:#0b3c5d}
.sources{font-size:.74rem;line-height:1.4;padding-left:3rem;columns:1}
.sources code{font-family:"DejaVu Sans Mono","Liberation Mono",Consolas,monospace;font-size:.7rem;overflow-wrap:anywhere}
.source{display:inline-block;min-width:6.5rem;color:var(--soft)}
@media screen and (max-width:50rem){main{padding:1.2rem;margin:0}.tiles{grid-template-columns:1fr}nav ol{columns:1}.particulars div{grid-template-columns:1fr;gap:0}table{display:block;overflow-x:auto}}
@page{size:A4;margin:18mm 16mm 20mm;@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif;color:#555}}
@media print{
html{background:#fff;font-size:10pt}
main{max-width:none;margin:0;padding:0;box-shadow:none}
a{color:inherit;text-decoration:none}
h2,h3,caption{break-after:avoid}
.alone{break-before:page}
tr,li,figure,.tile,.particulars div{break-inside:avoid}
thead{display:table-header-group}
.mark,.tile,.legend,pre,svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}
}
`
