// The live network of the landing page: one preset, and three buttons.
import { mountNetwork } from "./network.js";

export const mount = (stage, signal) => mountNetwork(stage, signal, { small: true });
