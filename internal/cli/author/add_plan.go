// Copyright The Kudo Authors.
// SPDX-License-Identifier: Apache-2.0

package author

import (
	"fmt"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"kudo.dev/kudo/internal/cli/command"
	"kudo.dev/kudo/internal/cli/values"
	"kudo.dev/kudo/internal/packtest"
)

func (a *addition) newParameter() *cobra.Command {
	var kind, preset, description, trigger string
	var required, immutable bool
	cmd := &cobra.Command{
		Use:     "parameter NAME",
		Short:   "Add a parameter",
		Example: "  kubectl kudo add parameter port --type integer --default 8080 --description 'Port of the server.'",
		Args:    command.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			item := map[string]any{"name": args[0], "schema": map[string]any{"type": kind}}
			if kind == "array" {
				item["schema"] = map[string]any{"type": kind, "items": map[string]any{"type": "string"}}
			}
			for key, text := range map[string]string{"description": description, "trigger": trigger} {
				if text != "" {
					item[key] = text
				}
			}
			for key, set := range map[string]bool{"required": required, "immutable": immutable} {
				if set {
					item[key] = true
				}
			}
			if preset != "" {
				var value any = preset
				if kind != "string" {
					if err := yaml.Unmarshal([]byte(preset), &value); err != nil {
						return command.Misuse("--default %s is no YAML: %v", preset, err)
					}
				}
				item["default"] = value
			}
			return a.insert(paramsFile, item)
		},
	}
	cmd.Flags().StringVar(&kind, "type", "string", "Type of its values: string, integer, number, boolean, array, object")
	cmd.Flags().StringVar(&preset, "default", "", "Value where an Instance sets none")
	cmd.Flags().StringVar(&description, "description", "", "What it is for")
	cmd.Flags().StringVar(&trigger, "trigger", "", "Plan that a change of it runs")
	cmd.Flags().BoolVar(&required, "required", false, "Every Instance must set it")
	cmd.Flags().BoolVar(&immutable, "immutable", false, "It can not be changed later")
	return cmd
}

func (a *addition) newTask() *cobra.Command {
	var apply, remove []string
	var job string
	cmd := &cobra.Command{
		Use:     "task NAME",
		Short:   "Add a task that applies or deletes templates, or runs a job",
		Example: "  kubectl kudo add task backup --job backup.yaml\n  kubectl kudo add task network --apply service.yaml,policy.yaml",
		Args:    command.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			item := map[string]any{"name": args[0]}
			for key, templates := range map[string][]string{"apply": apply, "delete": remove} {
				if len(templates) > 0 {
					item[key] = map[string]any{"templates": templates}
				}
			}
			if job != "" {
				item["job"] = map[string]any{"template": job}
			}
			return a.insert(frameworkFile, item, "version", "tasks")
		},
	}
	cmd.Flags().StringSliceVar(&apply, "apply", nil, "Templates to apply")
	cmd.Flags().StringSliceVar(&remove, "delete", nil, "Templates whose objects to delete")
	cmd.Flags().StringVar(&job, "job", "", "Template of a Job to run")
	cmd.MarkFlagsOneRequired("apply", "delete", "job")
	cmd.MarkFlagsMutuallyExclusive("apply", "delete", "job")
	return cmd
}

func (a *addition) newPlan() *cobra.Command {
	var tasks []string
	var description string
	cmd := &cobra.Command{
		Use:     "plan NAME",
		Short:   "Add a plan that runs tasks one after the other",
		Example: "  kubectl kudo add plan backup --task backup --description 'Saves the data.'",
		Args:    command.Args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			var steps []any
			for _, t := range tasks {
				steps = append(steps, map[string]any{"name": t, "tasks": []any{map[string]any{"task": t}}})
			}
			item := map[string]any{"name": args[0], "phases": []any{map[string]any{"name": "main", "steps": steps}}}
			if description != "" {
				item["description"] = description
			}
			return a.insert(frameworkFile, item, "version", "plans")
		},
	}
	cmd.Flags().StringSliceVar(&tasks, "task", nil, "Tasks to run, in their order")
	cmd.Flags().StringVar(&description, "description", "", "What it does")
	cmd.MarkFlagsOneRequired("task")
	return cmd
}

// newTest writes down what the package does now, so that a later change of it shows.
func (a *addition) newTest() *cobra.Command {
	var from sources
	var set values.Flags
	var plan, description string
	cmd := &cobra.Command{
		Use:     "test NAME",
		Short:   "Add a test that holds what a plan does now",
		Long:    "Writes tests/NAME.yaml with the steps that a plan runs now with given parameters, and the objects\nthat it applies. Edit it to say what matters.",
		Example: "  kubectl kudo add test small --set replicas=1",
		Args:    command.Args(1, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			p, err := from.load(cmd.Context(), a.dir)
			if err != nil {
				return err
			}
			version, err := compile(p.Package)
			if err != nil {
				return err
			}
			given, err := set.Parse(a.env.In, version.Params)
			if err != nil {
				return err //nolint:wrapcheck // it names the flag
			}
			c := packtest.Case{Description: description, Plan: plan, Parameters: values.Merge(nil, given)}
			if err := c.Record(version); err != nil {
				return fmt.Errorf("running the plan: %w", err)
			}
			raw, err := yaml.Marshal(c)
			if err != nil {
				return fmt.Errorf("encoding the test: %w", err)
			}
			return a.create(packtest.Dir+"/"+args[0]+".yaml", raw)
		},
	}
	set.AddFlags(cmd, "", "of the test")
	cmd.Flags().StringVar(&plan, "plan", "", "Plan of the test (default deploy)")
	cmd.Flags().StringVar(&description, "description", "", "What the test protects")
	return cmd
}
