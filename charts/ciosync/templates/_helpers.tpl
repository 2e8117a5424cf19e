{{/* Name of the objects: the release's, with the chart's where it isn't in it. */}}
{{- define "ciosync.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that select the pods; they never change. */}}
{{- define "ciosync.selectorLabels" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{/* Labels of every object. */}}
{{- define "ciosync.labels" -}}
{{ include "ciosync.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* Name of the ServiceAccount. */}}
{{- define "ciosync.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "ciosync.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{/* Name of objects that belong to no namespace: two releases of one name must not meet. */}}
{{- define "ciosync.clusterName" -}}
{{- printf "%s-%s" .Release.Namespace (include "ciosync.fullname" .) -}}
{{- end -}}

{{/* The operator as the subject of a binding. */}}
{{- define "ciosync.subjects" -}}
- kind: ServiceAccount
  name: {{ include "ciosync.serviceAccountName" . }}
  namespace: {{ .Release.Namespace }}
{{- end -}}

{{/* The image, by digest where one is given. */}}
{{- define "ciosync.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (.Values.image.tag | default .Chart.AppVersion) -}}
{{- end -}}
{{- end -}}

{{/* What the operator does in the namespaces that it looks after. */}}
{{- define "ciosync.workRules" -}}
- apiGroups: [ciosync.dev]
  resources: [syncs, sources, customerioconnections]
  verbs: [get, list, watch]
# The health of each is written back onto it, and nothing else of it.
- apiGroups: [ciosync.dev]
  resources: [syncs/status, sources/status, customerioconnections/status]
  verbs: [patch]
# The finalizer of a Sync with deletionPolicy Delete.
- apiGroups: [ciosync.dev]
  resources: [syncs]
  verbs: [patch]
# Credentials, each by the name that a Source or CustomerIoConnection gives.
- apiGroups: [""]
  resources: [secrets]
  verbs: [get{{ if .Values.secrets.watch }}, list, watch{{ end }}]
# SQL that a Sync takes from a ConfigMap.
- apiGroups: [""]
  resources: [configmaps]
  verbs: [get]
# Labels of a namespace for `allowedNamespaces`, and whether it is being deleted.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
# A repeated event is a patch of the first.
- apiGroups: [events.k8s.io]
  resources: [events]
  verbs: [create, patch]
{{- end -}}

{{/* What the operator looks at that belongs to no namespace it looks after. */}}
{{- define "ciosync.clusterRules" -}}
# Whether the definitions are as new as the operator.
- apiGroups: [apiextensions.k8s.io]
  resources: [customresourcedefinitions]
  verbs: [get]
  resourceNames:
    - syncs.ciosync.dev
    - sources.ciosync.dev
    - customerioconnections.ciosync.dev
# Its uid is the one thing that names a cluster.
- apiGroups: [""]
  resources: [namespaces]
  verbs: [get]
  resourceNames: [kube-system]
{{- end -}}
