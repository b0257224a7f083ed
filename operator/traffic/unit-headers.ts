/** Headers by which a gateway, the routes behind it and the pods speak of the unit of a request. */

/** Two digits, 00 … 99: which bucket of 100 the unit is in. The gateway sets it, and nobody else can. */
export const BUCKET_HEADER = 'x-mlops-bucket';
/** What the request log of the pods takes as the unit. */
export const UNIT_HEADER = 'x-mlops-unit';
/** Which variant answers: on the request for the log, on the response for the client. */
export const VARIANT_HEADER = 'x-mlops-variant';
