export default () => import("./lazy.js");
