# Submit large batch job
curl -X POST http://localhost:8000/v1/libraries/{id}/documents/batch-async \
  -H "Content-Type: application/json" \
  -d '{"documents": [...1000 documents...]}'

# Response: {"job_id": "...", "status_url": "/v1/jobs/..."}

# Poll job status
curl http://localhost:8000/v1/jobs/{job_id}

# Response: {"status": "completed", "result": {...}}
