export { isWebSocketError } from './protocol/errors.js';
