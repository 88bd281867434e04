# Stream documents via curl
cat documents.ndjson | curl -X POST \
  http://localhost:8000/v1/libraries/{id}/documents/stream \
  -H "Content-Type: application/x-ndjson" \
  --data-binary @-
