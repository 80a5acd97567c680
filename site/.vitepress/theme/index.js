import { withBase } from "vitepress";
import DefaultTheme from "vitepress/theme";
import { defineComponent, h } from "vue";
import "./style.css";

/**
 * A live figure: a link of the lab in a frame, one chart of it where `chart` says which. Where Markdown is all there is, what
 * stands between its tags is seen in its place.
 */
const LabFigure = defineComponent({
  props: { link: { type: String, required: true }, chart: String, caption: { type: String, required: true } },
  setup({ link, chart, caption }) {
    const whole = withBase(`/lab/index.html#${link}`);
    const framed = chart ? `${whole}&embed=${chart}` : whole;
    return () =>
      h("figure", { class: "lab-figure" }, [
        h("iframe", { src: framed, title: caption, loading: "lazy" }),
        h("figcaption", [caption, " ", h("a", { href: whole, target: "_self" }, "Open it in the lab")]),
      ]);
  },
});

export default {
  extends: DefaultTheme,
  enhanceApp({ app }) {
    app.component("LabFigure", LabFigure);
  },
};
