{{- define "grantor.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "grantor.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "grantor.labels" -}}
{{ include "grantor.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{/* What a wrong combination of values would only show in production is refused here. */}}
{{- define "grantor.check" -}}
{{- $several := or (gt (int .Values.replicaCount) 1) .Values.autoscaling.enabled -}}
{{- if and $several (not .Values.database.url) -}}
{{- fail "several replicas need one database: set database.url, or replicaCount=1" -}}
{{- end -}}
{{- if and .Values.persistence.enabled .Values.database.url -}}
{{- fail "persistence is for the file of a single replica: set either persistence.enabled or database.url" -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.tlsSecretName) -}}
{{- fail "the issuer is an https URL: set ingress.tlsSecretName" -}}
{{- end -}}
{{- end -}}
